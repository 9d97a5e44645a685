#include "millrace/engine/pipeline_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"

namespace millrace {

namespace {

// A state frame: u8 version, u64 epoch, u8 started, u8 kind and i64 time of the last control frame
// in the view's stream; i64 watermarks of the inputs and of the operators, each list behind its u32
// count; u32 count of source partitions with i64 largest event time, u8 idle, u8 ended each; u32
// count of sections, each u32 table and state partition as one number, u32 length, and the rows as
// KeyedState::Seal writes them.
constexpr uint8_t kFrameVersion = 2;

/// A frame gets room for the last one and one part in this more.
constexpr size_t kGrowthShare = 4;

/// Appends a section of rows, which `append(frame)` does. Returns how many bytes they take.
template <typename Append>
size_t AppendSection(size_t table, Bytes& frame, Append append) {
  ByteWriter writer(frame);
  writer.Put(static_cast<uint32_t>(table));
  const size_t size_at = frame.size();
  writer.Put(uint32_t{0});
  append(frame);
  const size_t rows_bytes = frame.size() - size_at - sizeof(uint32_t);
  writer.Patch(size_at, static_cast<uint32_t>(rows_bytes));
  return rows_bytes;
}

void PutMicros(const std::vector<Micros>& values, ByteWriter& writer) {
  writer.Put(static_cast<uint32_t>(values.size()));
  for (const Micros value : values) {
    writer.Put(value);
  }
}

}  // namespace

PipelineState::PipelineState(const PipelinePlan& plan, size_t state_partitions,
                             size_t source_partitions, size_t snapshot_bytes_min)
    : progress{.input_watermarks = std::vector<Micros>(plan.inputs.size(), kMicrosMin),
               .operator_watermarks = std::vector<Micros>(plan.operators.size(), kMicrosMin),
               .source_watermarks = std::vector<PartitionWatermark>(source_partitions)},
      snapshot_bytes_min_(snapshot_bytes_min),
      partitions_(state_partitions) {
  size_t tables = 0;
  for (const auto& each : plan.operators) {
    first_tables_.push_back(tables);
    for (const ValueShape& shape : each->tables()) {
      for (size_t partition = 0; partition < state_partitions; ++partition) {
        tables_.emplace_back(shape);
      }
      ++tables;
    }
  }
  first_tables_.push_back(tables);
}

std::vector<KeyedState*> PipelineState::TablesOf(size_t op, size_t partition) {
  std::vector<KeyedState*> tables;
  for (size_t table = first_tables_[op]; table < first_tables_[op + 1]; ++table) {
    tables.push_back(&tables_[table * partitions_ + partition]);
  }
  return tables;
}

void PipelineState::BeginEpoch(EpochId epoch) {
  last_epoch = epoch;
  for (KeyedState& table : tables_) {
    table.BeginEpoch(epoch);
  }
  if (cycle_first_epoch_ == EpochId()) {
    cycle_first_epoch_ = epoch;
  }
}

Bytes PipelineState::Seal() {
  Bytes frame;
  frame.reserve(frame_bytes_ + frame_bytes_ / kGrowthShare);
  ByteWriter writer(frame);
  writer.Put(kFrameVersion);
  writer.Put(last_epoch.value());
  writer.Put(progress.started);
  writer.Put(progress.said_kind);
  writer.Put(progress.said_time);
  PutMicros(progress.input_watermarks, writer);
  PutMicros(progress.operator_watermarks, writer);
  writer.Put(static_cast<uint32_t>(progress.source_watermarks.size()));
  for (const PartitionWatermark& watermark : progress.source_watermarks) {
    writer.Put(watermark.max_event_time);
    writer.Put(watermark.idle);
    writer.Put(watermark.ended);
  }
  const size_t count_at = frame.size();
  uint32_t sections = 0;
  writer.Put(sections);
  size_t change_bytes = 0;
  for (size_t i = 0; i < tables_.size(); ++i) {
    change_bytes += AppendSection(i, frame, [&](Bytes& out) { tables_[i].Seal(out); });
    ++sections;
  }
  // As much as the changes, so that a walk over the state doubles what is written.
  size_t snapshot_bytes = std::max(change_bytes, snapshot_bytes_min_);
  while (snapshot_table_ < tables_.size() && snapshot_bytes > 0) {
    bool complete = false;
    const size_t bytes = AppendSection(snapshot_table_, frame, [&](Bytes& out) {
      complete = tables_[snapshot_table_].AppendSnapshot(snapshot_bytes, out);
    });
    ++sections;
    snapshot_bytes -= std::min(snapshot_bytes, bytes);
    if (!complete) {
      break;
    }
    ++snapshot_table_;
  }
  if (snapshot_table_ == tables_.size()) {
    complete_cycle_first_epoch_ = cycle_first_epoch_;
    cycle_first_epoch_ = EpochId();
    snapshot_table_ = 0;
  }
  writer.Patch(count_at, sections);
  frame_bytes_ = frame.size();
  return frame;
}

void PipelineState::Committed(EpochId epoch, Offset state_offset) {
  for (KeyedState& table : tables_) {
    table.Committed(epoch);
  }
  cycle_offsets_.emplace_back(epoch, state_offset);
  if (MR_PLANTED(StateTrimmedTooEarly)) {
    trim_ = state_offset;
  }
  if (complete_cycle_first_epoch_) {
    const auto first = std::ranges::find(cycle_offsets_, *complete_cycle_first_epoch_,
                                         &std::pair<EpochId, Offset>::first);
    if (first != cycle_offsets_.end()) {
      trim_ = first->second;
      cycle_offsets_.erase(cycle_offsets_.begin(), first);
      complete_cycle_first_epoch_.reset();
    }
  }
}

void PipelineState::Rollback(EpochId epoch, const Progress& before) {
  for (KeyedState& table : tables_) {
    table.Rollback(epoch);
  }
  last_epoch = EpochId(epoch.value() - 1);
  progress = before;
  // What the walk wrote in these epochs is gone: it starts again.
  snapshot_table_ = 0;
  cycle_first_epoch_ = EpochId();
  complete_cycle_first_epoch_.reset();
}

std::optional<Offset> PipelineState::TakeTrim() { return std::exchange(trim_, std::nullopt); }

Status PipelineState::Restore(Cursor& cursor, WorkerPool& workers) {
  constexpr size_t kBytesPerPoll = 16 << 20;
  while (true) {
    MR_ASSIGN(const auto frames, cursor.Poll(kBytesPerPoll));
    if (frames.empty()) {
      return {};
    }
    std::vector<std::vector<Section>> sections(tables_.size());
    for (const StreamFrame& frame : frames) {
      if (MR_PLANTED(StateFrameSkipped) && &frame == &frames.back()) {
        continue;
      }
      MR_TRY(ReadFrame(frame.payload->bytes(), sections));
    }
    std::vector<Status> restored(tables_.size());
    workers.ForEach(tables_.size(), [&](size_t table) {
      for (const Section section : sections[table]) {
        ByteReader reader(section);
        if (restored[table]) {
          restored[table] = tables_[table].Restore(reader);
        }
      }
    });
    for (Status& status : restored) {
      MR_TRY(std::move(status));
    }
  }
}

Status PipelineState::ReadFrame(std::span<const std::byte> payload,
                                std::vector<std::vector<Section>>& sections) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kFrameVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("state frame of version {}", version));
  }
  MR_ASSIGN(const auto epoch, reader.Get<uint64_t>());
  last_epoch = EpochId(epoch);
  MR_ASSIGN(const auto was_started, reader.Get<uint8_t>());
  progress.started = was_started != 0;
  MR_ASSIGN(progress.said_kind, reader.Get<uint8_t>());
  MR_ASSIGN(progress.said_time, reader.Get<Micros>());
  MR_TRY(ReadMicros(reader, progress.input_watermarks));
  MR_TRY(ReadMicros(reader, progress.operator_watermarks));
  MR_ASSIGN(const auto sources, reader.Get<uint32_t>());
  if (sources != progress.source_watermarks.size()) {
    return Err(ErrorCode::kStateMismatch,
               fmt::format("state of {} source partitions, the stream has {}", sources,
                           progress.source_watermarks.size()));
  }
  for (PartitionWatermark& watermark : progress.source_watermarks) {
    MR_ASSIGN(watermark.max_event_time, reader.Get<Micros>());
    MR_ASSIGN(const auto idle, reader.Get<uint8_t>());
    MR_ASSIGN(const auto ended, reader.Get<uint8_t>());
    watermark.idle = idle != 0;
    watermark.ended = ended != 0;
  }
  MR_ASSIGN(const auto count, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    MR_ASSIGN(const auto table, reader.Get<uint32_t>());
    MR_ASSIGN(const auto length, reader.Get<uint32_t>());
    MR_ASSIGN(const auto rows, reader.GetBytes(length));
    if (table >= tables_.size()) {
      return Err(ErrorCode::kStateMismatch,
                 fmt::format("state of table {}, there are {}", table, tables_.size()));
    }
    sections[table].push_back(rows);
  }
  return {};
}

Status PipelineState::ReadMicros(ByteReader& reader, std::vector<Micros>& values) {
  MR_ASSIGN(const auto count, reader.Get<uint32_t>());
  if (count != values.size()) {
    return Err(ErrorCode::kStateMismatch,
               fmt::format("state of {} inputs or operators, there are {}", count, values.size()));
  }
  for (Micros& value : values) {
    MR_ASSIGN(value, reader.Get<Micros>());
  }
  return {};
}

size_t PipelineState::keys() const {
  size_t keys = 0;
  for (const KeyedState& table : tables_) {
    keys += table.keys();
  }
  return keys;
}

size_t PipelineState::MemoryBytes() const {
  size_t bytes = 0;
  for (const KeyedState& table : tables_) {
    bytes += table.MemoryBytes();
  }
  return bytes;
}

}  // namespace millrace
