#include "millrace/app/retention.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "millrace/app/logger.h"
#include "millrace/connect/sink_runner.h"
#include "millrace/engine/pipeline_streams.h"

namespace millrace {

namespace {

/// The first frame with records at or behind `from` and before `end`; none when there is none.
Result<std::optional<StreamFrame>> NextRecords(Transport& transport, StreamId stream,
                                               PartitionId partition, Offset from, Offset end) {
  const auto cursor = transport.OpenCursor(stream, partition, from, Visibility::kDurable);
  while (true) {
    MR_ASSIGN(const auto frames, cursor->Poll(1));
    if (frames.empty()) {
      return std::nullopt;
    }
    for (const StreamFrame& frame : frames) {
      if (frame.begin >= end) {
        return std::nullopt;
      }
      if (frame.type == FrameType::kData) {
        return frame;
      }
    }
  }
}

}  // namespace

RetentionMetrics::RetentionMetrics(MetricsRegistry& registry, std::string_view table)
    : trimmed(registry.AddCounter({"millrace_table_trimmed_records_total",
                                   "Records given up because they were older than the table's "
                                   "retention; counts control frames.",
                                   "records"},
                                  {{"table", std::string(table)}})) {}

void Retention::Add(const TableDefinition& table, const ProjectDefinition& project,
                    const RetentionMetrics& metrics) {
  Kept kept{.table = table.name, .age = *table.retention, .readers = {}, .metrics = metrics};
  for (const ViewDefinition& view : project.views) {
    if (std::ranges::find(view.inputs, table.name) != view.inputs.end()) {
      kept.readers.push_back(ReaderOfView(view.name));
    }
  }
  for (const SinkDefinition& sink : project.sinks) {
    if (sink.stream == table.name) {
      kept.readers.push_back(ReaderOfSink(sink.table.name));
    }
  }
  tables_.push_back(std::move(kept));
}

Result<Offset> Retention::NewBegin(const StreamInfo& stream, PartitionId partition,
                                   const Kept& kept) {
  const PartitionInfo info = transport_.Describe(stream.id, partition);
  Offset read = info.durable_end;
  for (const std::string& reader : kept.readers) {
    const auto positions = transport_.ReaderPositions(reader);
    const auto position = positions.find({stream.id, partition});
    read = std::min(read, position == positions.end() ? info.begin : position->second);
  }
  const Micros cutoff = clock_.WallMicros() - kept.age;
  // All frames before `low` are old, none from `high` on may go. Frames are in the order of their
  // append times.
  Offset low = info.begin;
  Offset high = read;
  while (low < high) {
    const Offset middle(low.value() + (high.value() - low.value()) / 2);
    MR_ASSIGN(const auto frame, NextRecords(transport_, stream.id, partition, middle, high));
    const bool is_old = frame && frame->times.append_time < cutoff && frame->end() <= read &&
                        frame->end() < info.durable_end;
    if (is_old) {
      low = frame->end();
    } else {
      high = middle;
    }
  }
  return low;
}

Status Retention::Step() {
  std::unique_ptr<EpochWriter> epoch;
  std::vector<std::pair<Counter, double>> trimmed;
  for (const Kept& kept : tables_) {
    const auto stream = transport_.FindStream(kept.table);
    for (uint32_t p = 0; stream && p < stream->definition.partitions; ++p) {
      const Offset begin = transport_.Describe(stream->id, PartitionId(p)).begin;
      const auto kept_from = NewBegin(*stream, PartitionId(p), kept);
      if (!kept_from) {
        return Err(kept_from.error().WithContext(fmt::format("retention of {}", kept.table)));
      }
      if (*kept_from > begin) {
        epoch = epoch == nullptr ? transport_.BeginEpoch() : std::move(epoch);
        epoch->Trim(stream->id, PartitionId(p), *kept_from);
        trimmed.emplace_back(kept.metrics.trimmed, static_cast<double>(*kept_from - begin));
        MR_LOG(kAppLog, kDebug, "records are older than their retention", {"table", kept.table},
               {"partition", p}, {"begin", kept_from->value()});
      }
    }
  }
  if (epoch != nullptr) {
    epoch->CommitAsync([trimmed = std::move(trimmed)](const CommitResult& result) mutable {
      if (result.outcome == CommitOutcome::kCommitted) {
        for (auto& [counter, records] : trimmed) {
          counter.Add(records);
        }
      }
    });
  }
  return {};
}

}  // namespace millrace
