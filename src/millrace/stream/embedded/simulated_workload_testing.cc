#include "millrace/stream/embedded/simulated_workload_testing.h"

#include <algorithm>

#include "millrace/data/column_builder.h"

namespace millrace::simulation {

namespace {

SchemaPtr RowSchema() {
  static const SchemaPtr kSchema =
      MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64), .nullable = false},
                  {.name = "text", .type = DataType::Of(TypeId::kText)}});
  return kSchema;
}

std::string TextOf(int64_t value, uint32_t bytes) {
  std::string text = fmt::format("{:x}", value * 2654435761);
  text.resize(bytes, static_cast<char>('g' + value % 20));
  return text;
}

BatchPtr BatchOf(const PlannedFrame& frame) {
  ColumnBuilder ids(DataType::Of(TypeId::kInt64));
  ColumnBuilder texts(DataType::Of(TypeId::kText));
  for (uint32_t row = 0; row < frame.rows; ++row) {
    ids.AppendFixed(frame.value + row);
    texts.AppendText(TextOf(frame.value + row, frame.bytes));
  }
  return Batch::Make(RowSchema(), {ids.Finish(), texts.Finish()}, frame.rows);
}

/// The rows of a planned frame, as those of `frame` from `row` on.
bool SameRows(const StreamFrame& frame, uint32_t row, const PlannedFrame& planned) {
  for (uint32_t i = 0; i < planned.rows; ++i) {
    const int64_t value = planned.value + i;
    if (frame.batch->column(0).Values<int64_t>()[row + i] != value ||
        frame.batch->column(1).Text(row + i) != TextOf(value, planned.bytes)) {
      return false;
    }
  }
  return true;
}

bool SameTimes(const EventTimes& a, const EventTimes& b) {
  return a.append_time == b.append_time && a.min == b.min && a.max == b.max && a.limit == b.limit;
}

/// How many of the planned frames, from the first on, make up `frame`, which may have been joined;
/// 0 when it is none of them.
size_t PartsOf(const StreamFrame& frame, std::span<const ExpectedState::Frame> planned) {
  if (planned.empty() || frame.begin != planned.front().begin ||
      frame.max_event_time_before != planned.front().max_event_time_before) {
    return 0;
  }
  const PlannedFrame& first = planned.front().frame;
  if (first.rows == 0) {
    const bool same = frame.type == FrameType::kState && frame.count == 1 &&
                      AsText(frame.payload->bytes()) == TextOf(first.value, first.bytes);
    return same && SameTimes(frame.times, first.times) ? 1 : 0;
  }
  if (frame.type != FrameType::kData || frame.batch->rows() != frame.count) {
    return 0;
  }
  EventTimes times = first.times;
  uint32_t rows = 0;
  size_t parts = 0;
  for (; parts < planned.size() && rows < frame.count; ++parts) {
    const PlannedFrame& part = planned[parts].frame;
    if (part.rows == 0 || rows + part.rows > frame.count || !SameRows(frame, rows, part)) {
      return 0;
    }
    times.append_time = std::max(times.append_time, part.times.append_time);
    times.min = std::min(times.min, part.times.min);
    times.max = std::max(times.max, part.times.max);
    rows += part.rows;
  }
  return rows == frame.count && SameTimes(frame.times, times) ? parts : 0;
}

std::string NameOf(const PartitionName& at) { return fmt::format("{}/{}", at.first, at.second); }

StreamId IdOf(Transport& transport, const std::string& stream) {
  const auto info = transport.FindStream(stream);
  MR_CHECK(info.has_value(), "stream {}", stream);
  return info->id;
}

std::optional<std::string> CompareBounds(Transport& transport, const PartitionName& at,
                                         const ExpectedState::Partition& expected) {
  const PartitionInfo info = transport.Describe(IdOf(transport, at.first), PartitionId(at.second));
  if (info.begin != expected.begin || info.durable_end != expected.end ||
      info.appended_end != expected.end || info.max_event_time != expected.max_event_time) {
    return fmt::format("{}: [{}, {}) appended {} max time {}, expected [{}, {}) max time {}",
                       NameOf(at), info.begin, info.durable_end, info.appended_end,
                       info.max_event_time, expected.begin, expected.end, expected.max_event_time);
  }
  return std::nullopt;
}

}  // namespace

StreamDefinition DefinitionOf(const std::string& stream) {
  return {.name = stream,
          .partitions = 1 + static_cast<uint32_t>(stream.size() % 3),
          .schema = RowSchema(),
          .properties = {{"name", stream}}};
}

void PlannedEpoch::SubmitTo(Transport& transport, size_t number, CommitCallback callback) const {
  auto writer = transport.BeginEpoch();
  for (const PlannedFrame& frame : frames) {
    const StreamId stream = IdOf(transport, frame.at.first);
    const PartitionId partition(frame.at.second);
    if (frame.rows == 0) {
      const std::string text = TextOf(frame.value, frame.bytes);
      const auto bytes = AsBytes(text);
      writer->AppendOpaque(stream, partition, FrameType::kState, {bytes.begin(), bytes.end()});
    } else {
      writer->Append(stream, partition, BatchOf(frame), frame.times);
    }
  }
  for (const auto& [at, next] : positions) {
    writer->SetPosition("reader", IdOf(transport, at.first), PartitionId(at.second), next);
  }
  for (const auto& [split, value] : splits) {
    writer->SetSourcePosition("source", split, value);
  }
  for (const auto& [at, begin] : trims) {
    writer->Trim(IdOf(transport, at.first), PartitionId(at.second), begin);
  }
  writer->SetPosition(kProgressReader, StreamId(1), PartitionId(0),
                      Offset(static_cast<int64_t>(number)));
  writer->CommitAsync(std::move(callback));
}

void ExpectedState::AddStream(const std::string& name) {
  for (uint32_t p = 0; p < DefinitionOf(name).partitions; ++p) {
    partitions.try_emplace({name, p});
  }
}

std::vector<std::pair<Offset, Offset>> ExpectedState::Apply(const PlannedEpoch& epoch) {
  std::vector<std::pair<Offset, Offset>> ranges;
  for (const PlannedFrame& frame : epoch.frames) {
    Partition& partition = partitions.at(frame.at);
    partition.frames.push_back({partition.end, frame, partition.max_event_time});
    partition.max_event_time = std::max(partition.max_event_time, frame.times.max);
    ranges.emplace_back(partition.end, partition.end + frame.count());
    partition.end = partition.end + frame.count();
  }
  for (const auto& [at, next] : epoch.positions) {
    positions[at] = next;
  }
  for (const auto& [split, value] : epoch.splits) {
    if (value.empty()) {
      splits.erase(split);
    } else {
      splits[split] = value;
    }
  }
  for (const auto& [at, begin] : epoch.trims) {
    Partition& partition = partitions.at(at);
    partition.begin = std::clamp(begin, partition.begin, partition.end);
  }
  ++epochs_count;
  return ranges;
}

std::optional<std::string> ExpectedState::Compare(Transport& transport, bool damaged) const {
  std::map<PartitionName, Offset> found;
  for (const auto& [at, partition] : partitions) {
    if (auto difference = CompareBounds(transport, at, partition)) {
      return difference;
    }
    if (auto difference =
            CompareFrames(transport, at, partition.begin, Visibility::kDurable, damaged)) {
      return difference;
    }
    const auto of_reader = transport.ReaderPositions("reader");
    const auto position = of_reader.find({IdOf(transport, at.first), PartitionId(at.second)});
    if (position != of_reader.end()) {
      found[at] = position->second;
    }
  }
  if (found != positions) {
    return "positions of the reader differ";
  }
  const auto of_source = transport.ReadSourcePositions("source");
  if (!std::ranges::equal(of_source, splits)) {
    return "positions of the source differ";
  }
  return std::nullopt;
}

std::optional<std::string> ExpectedState::CompareFrames(Transport& transport,
                                                        const PartitionName& at, Offset from,
                                                        Visibility visibility, bool damaged) const {
  const Partition& partition = partitions.at(at);
  auto cursor =
      transport.OpenCursor(IdOf(transport, at.first), PartitionId(at.second), from, visibility);
  // The first frame may begin before the position, also where planned frames were joined.
  Offset next = from;
  for (bool retried = false;;) {
    const auto frames = cursor->Poll(1000);
    if (!frames && frames.error().code() == ErrorCode::kCorruption && damaged) {
      return std::nullopt;
    }
    if (!frames && frames.error().code() == ErrorCode::kIoError && !retried) {
      retried = true;
      continue;
    }
    if (!frames) {
      return fmt::format("{}: {}", NameOf(at), frames.error().ToString());
    }
    if (frames->empty()) {
      break;
    }
    for (const StreamFrame& frame : *frames) {
      const auto first = std::ranges::lower_bound(partition.frames, frame.begin, {}, &Frame::begin);
      const bool follows = next == from ? frame.begin <= next : frame.begin == next;
      if (!follows || frame.end() <= next || PartsOf(frame, {first, partition.frames.end()}) == 0) {
        return fmt::format("{}: another frame at offset {}", NameOf(at), frame.begin);
      }
      next = frame.end();
    }
  }
  if (visibility == Visibility::kDurable && cursor->position() < partition.end &&
      transport.Describe(IdOf(transport, at.first), PartitionId(at.second)).durable_end ==
          partition.end) {
    return fmt::format("{}: reading ends at {} of {}", NameOf(at), cursor->position(),
                       partition.end);
  }
  return std::nullopt;
}

PlannedEpoch MakeEpoch(Rng& rng, const ExpectedState& state) {
  PlannedEpoch epoch;
  const auto pick = [&] {
    return std::next(state.partitions.begin(),
                     static_cast<ptrdiff_t>(rng.Below(state.partitions.size())));
  };
  const uint64_t frames_count = rng.Below(4) + (rng.Chance(0.1) ? 8 : 0);
  for (uint64_t i = 0; i < frames_count; ++i) {
    PlannedFrame frame{.at = pick()->first,
                       .value = static_cast<int64_t>(rng.Below(1U << 30)),
                       .rows = rng.Chance(0.4) ? static_cast<uint32_t>(1 + rng.Below(20)) : 0,
                       .bytes = static_cast<uint32_t>(rng.Below(rng.Chance(0.2) ? 2000 : 60))};
    if (frame.rows > 0) {
      frame.times = {.append_time = static_cast<Micros>(state.epochs_count),
                     .min = static_cast<Micros>(rng.Below(100)),
                     .max = static_cast<Micros>(100 + rng.Below(1000))};
    }
    epoch.frames.push_back(std::move(frame));
  }
  if (rng.Chance(0.5)) {
    const auto& [at, partition] = *pick();
    epoch.positions.emplace_back(at, partition.end);
  }
  if (rng.Chance(0.4)) {
    epoch.splits.emplace_back(fmt::format("split {}", rng.Below(3)),
                              rng.Chance(0.3) ? "" : fmt::format("at {}", state.epochs_count));
  }
  if (rng.Chance(0.25)) {
    const auto& [at, partition] = *pick();
    const auto range = static_cast<uint64_t>(partition.end - partition.begin);
    const auto trimmed = static_cast<int64_t>(rng.Below(range + 1));
    epoch.trims.emplace_back(at, rng.Chance(0.3) ? partition.end + 5 : partition.begin + trimmed);
  }
  return epoch;
}

}  // namespace millrace::simulation
