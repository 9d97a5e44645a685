#include "millrace/app/simulated_events_testing.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "millrace/base/rng.h"
#include "millrace/codec/json_encoder.h"
#include "millrace/data/text_format.h"
#include "millrace/sql/compile_project.h"

namespace millrace::simulation {

namespace {

constexpr std::string_view kSql = R"sql(
CREATE TABLE events (producer integer NOT NULL, seq bigint NOT NULL, key text NOT NULL,
                     value bigint NOT NULL, at timestamptz NOT NULL)
  WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '10 seconds',
        partitions = 3, partition_by = 'producer');
CREATE MATERIALIZED VIEW per_key AS
  SELECT key, count(*) AS n, sum(value) AS total, min(value) AS low FROM events GROUP BY key;
CREATE MATERIALIZED VIEW per_minute AS
  SELECT window_start, key, count(*) AS n, sum(value) AS total
  FROM tumble(events, at, interval '1 minute') GROUP BY window_start, key;
CREATE MATERIALIZED VIEW finals WITH (emit = 'final') AS
  SELECT window_start, key, count(*) AS n, sum(value) AS total
  FROM tumble(events, at, interval '1 minute') GROUP BY window_start, key;
CREATE MATERIALIZED VIEW shares AS
  SELECT producer, seq, 100 / value AS share FROM events WHERE value >= 0;
)sql";

constexpr Micros kSecond = 1'000'000;
constexpr Micros kMinute = 60 * kSecond;
constexpr Micros kDelay = 10 * kSecond;
constexpr Micros kStart = 1'767'225'600 * kSecond;  // 2026-01-01
constexpr int64_t kValues = 20;
/// Column numbers of `events`.
enum Column : size_t { kProducer, kSeq, kKey, kValue, kAt };

struct Event {
  std::string key;
  int64_t value;
  Micros at;
};

Event EventOf(uint64_t seed, uint32_t producer, uint64_t seq) {
  Rng rng(seed * 1'000'003 + seq * kProducers + producer);
  const auto jitter = static_cast<Micros>(rng.Below(60)) * kSecond;
  return {.key = fmt::format("k{}", rng.Below(5)),
          .value = static_cast<int64_t>(rng.Below(kValues)) - kValues / 4,
          .at = kStart + static_cast<Micros>(seq) * 7 * kSecond + jitter};
}

std::string WindowRow(Micros start, const std::string& key, int64_t n, int64_t total) {
  return fmt::format(R"({{"window_start":"{}","key":"{}","n":{},"total":{}}})",
                     FormatTimestamptz(start), key, n, total);
}

std::optional<std::string> Difference(std::string_view stream, const ExpectedAnswers::Rows& found,
                                      const ExpectedAnswers::Rows& expected) {
  std::string difference;
  for (const auto& [row, count] : expected) {
    const auto place = found.find(row);
    if (place == found.end() || place->second != count) {
      fmt::format_to(std::back_inserter(difference), "\n  {} of {}, expected {}",
                     place == found.end() ? 0 : place->second, row, count);
    }
  }
  for (const auto& [row, count] : found) {
    if (!expected.contains(row)) {
      fmt::format_to(std::back_inserter(difference), "\n  {} of {}, expected none", count, row);
    }
  }
  if (difference.empty()) {
    return std::nullopt;
  }
  return fmt::format("{}:{}", stream, difference);
}

int64_t CountRows(Transport& transport, const std::string& stream) {
  const auto rows = NetRows(transport, stream);
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [](int64_t sum, const auto& row) { return sum + row.second; });
}

}  // namespace

const ProjectDefinition& EventsProject() {
  static const ProjectDefinition kProject = [] {
    const SqlFile file{.path = "events.sql", .text = std::string(kSql)};
    auto compiled = CompileProject(std::span(&file, 1), {}, nullptr);
    MR_CHECK(compiled.has_value(), "{}", compiled.error().ToString());
    return *std::move(compiled);
  }();
  return kProject;
}

std::string EventsBody(uint64_t seed, uint32_t producer, uint64_t first, uint64_t count) {
  std::string body;
  for (uint64_t seq = first; seq < first + count; ++seq) {
    const Event event = EventOf(seed, producer, seq);
    fmt::format_to(std::back_inserter(body),
                   R"({{"producer":{},"seq":{},"key":"{}","value":{},"at":"{}"}})"
                   "\n",
                   producer, seq, event.key, event.value, FormatTimestamptz(event.at));
  }
  return body;
}

ExpectedAnswers::Rows NetRows(Transport& transport, const std::string& stream_name) {
  const auto stream = transport.FindStream(stream_name);
  MR_CHECK(stream.has_value(), "stream {}", stream_name);
  const RowJsonWriter writer(*stream->definition.schema);
  ExpectedAnswers::Rows rows;
  for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
    const auto cursor =
        transport.OpenCursor(stream->id, PartitionId(p), Offset(0), Visibility::kDurable);
    const auto frames = cursor->Poll(SIZE_MAX);
    MR_CHECK(frames.has_value(), "{}", frames.error().ToString());
    for (const StreamFrame& frame : *frames) {
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        std::string json;
        writer.Append(*frame.batch, row, json);
        rows[json] += frame.batch->Weight(row);
      }
    }
  }
  std::erase_if(rows, [](const auto& row) { return row.second == 0; });
  return rows;
}

std::optional<std::string> ExpectedAnswers::Read(uint64_t seed, Transport& transport) {
  const auto stream = transport.FindStream("events");
  if (!stream) {
    return std::nullopt;
  }
  Micros watermark = kMicrosMax;
  bool any = false;
  for (uint32_t p = 0; p < stream->definition.partitions; ++p) {
    const auto cursor =
        transport.OpenCursor(stream->id, PartitionId(p), Offset(0), Visibility::kDurable);
    const auto frames = cursor->Poll(SIZE_MAX);
    if (!frames) {
      return frames.error().ToString();
    }
    PartitionWatermark partition;
    for (const StreamFrame& frame : *frames) {
      partition.idle = false;
      if (frame.type == FrameType::kControl) {
        const auto control = ControlFrame::Decode(frame.payload->bytes());
        partition.idle = control && control->kind == ControlFrame::Kind::kIdle;
        partition.max_event_time = std::max(partition.max_event_time, frame.times.max);
      }
      for (size_t row = 0; frame.batch != nullptr && row < frame.batch->rows(); ++row) {
        if (auto wrong = Take(seed, *frame.batch, row, partition)) {
          return wrong;
        }
      }
    }
    if (!partition.idle) {
      any = true;
      watermark = std::min(watermark, partition.Get(kDelay));
    }
  }
  stage_watermark_ = any ? watermark : kMicrosMin;
  for (const auto& [key, values] : values_) {
    per_key_[fmt::format(R"({{"key":"{}","n":{},"total":{},"low":{}}})", key, values.size(),
                         std::accumulate(values.begin(), values.end(), int64_t{0}),
                         *std::ranges::min_element(values))] = 1;
  }
  return std::nullopt;
}

std::optional<std::string> ExpectedAnswers::Take(uint64_t seed, const Batch& batch, size_t row,
                                                 PartitionWatermark& watermark) {
  const auto producer = static_cast<uint32_t>(batch.column(kProducer).Values<int32_t>()[row]);
  const auto seq = static_cast<uint64_t>(batch.column(kSeq).Values<int64_t>()[row]);
  if (seq != counts[producer]) {
    return fmt::format("producer {}: record {} where {} should come", producer, seq,
                       counts[producer]);
  }
  ++counts[producer];
  const Event event = EventOf(seed, producer, seq);
  if (batch.column(kKey).Text(row) != event.key ||
      batch.column(kValue).Values<int64_t>()[row] != event.value ||
      batch.column(kAt).Values<Micros>()[row] != event.at) {
    return fmt::format("producer {}: record {} has changed", producer, seq);
  }
  values_[event.key].push_back(event.value);
  if (event.value == 0) {
    ++failed_;
  } else if (event.value > 0) {
    ++shares_[fmt::format(R"({{"producer":{},"seq":{},"share":{}}})", producer, seq,
                          100 / event.value)];
  }
  const Micros window = event.at / kMinute * kMinute;
  if (window + kMinute <= watermark.Get(kDelay)) {
    ++late_;
  } else {
    Window& group = windows_[{window, event.key}];
    ++group.n;
    group.total += event.value;
  }
  watermark.max_event_time = std::max(watermark.max_event_time, event.at);
  return std::nullopt;
}

std::optional<std::string> ExpectedAnswers::Compare(Transport& transport) const {
  Rows per_minute;
  for (const auto& [group, window] : windows_) {
    per_minute[WindowRow(group.first, group.second, window.n, window.total)] = 1;
  }
  for (const auto& [stream, expected] :
       {std::pair("per_key", &per_key_), {"per_minute", &per_minute}, {"shares", &shares_}}) {
    if (auto difference = Difference(stream, NetRows(transport, stream), *expected)) {
      return difference;
    }
  }
  for (const auto& [stream, expected] : {std::pair("late$per_minute", late_),
                                         {"late$finals", late_},
                                         {"errors$shares", failed_},
                                         {"errors$per_key", int64_t{0}},
                                         {"errors$events", int64_t{0}}}) {
    if (const int64_t found = CountRows(transport, stream); found != expected) {
      return fmt::format("{}: {} rows, expected {}", stream, found, expected);
    }
  }
  return CompareFinals(transport);
}

std::optional<std::string> ExpectedAnswers::CompareFinals(Transport& transport) const {
  // How far windows were closed depends on when partitions were seen idle. What is out must be
  // whole, and what the watermark has passed must be out.
  Rows expected;
  const Rows found = NetRows(transport, "finals");
  for (const auto& [group, window] : windows_) {
    std::string row = WindowRow(group.first, group.second, window.n, window.total);
    if (group.first + kMinute <= stage_watermark_ || found.contains(row)) {
      expected[std::move(row)] = 1;
    }
  }
  return Difference("finals", found, expected);
}

}  // namespace millrace::simulation
