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

RetentionMetrics::RetentionMetrics(MetricsRegistry& registry, std::string_view table) {
  const MetricLabels labels{{"table", std::string(table)}};
  trimmed = registry.AddCounter({"millrace_table_trimmed_records_total",
                                 "Records given up because they were older than the table's "
                                 "retention, or beyond its retention_bytes; counts control frames.",
                                 "records"},
                                labels);
  full = registry.AddGauge({"millrace_table_full",
                            "1 while a table has its retention_bytes, and its readers are too far "
                            "behind for any to go.",
                            ""},
                           labels);
}

void Retention::Add(StreamIngestor& ingestor, const ProjectDefinition& project,
                    const RetentionMetrics& metrics) {
  Kept kept{.ingestor = &ingestor, .readers = {}, .metrics = metrics};
  const std::string& table = ingestor.table().name;
  for (const ViewDefinition& view : project.views) {
    if (std::ranges::find(view.inputs, table) != view.inputs.end()) {
      kept.readers.push_back(ReaderOfView(view.name));
    }
  }
  for (const SinkDefinition& sink : project.sinks) {
    if (sink.stream == table) {
      kept.readers.push_back(ReaderOfSink(sink.table.name));
    }
  }
  tables_.push_back(std::move(kept));
}

Offset Retention::ReadBy(const Kept& kept, PartitionId partition, const PartitionInfo& info) {
  Offset read = info.durable_end;
  for (const std::string& reader : kept.readers) {
    const auto positions = transport_.ReaderPositions(reader);
    const auto position = positions.find({kept.ingestor->stream(), partition});
    read = std::min(read, position == positions.end() ? info.begin : position->second);
  }
  return read;
}

Result<Offset> Retention::YoungFrom(const Kept& kept, PartitionId partition) {
  const StreamId stream = kept.ingestor->stream();
  const PartitionInfo info = transport_.Describe(stream, partition);
  const Offset read = ReadBy(kept, partition, info);
  const Micros cutoff = clock_.WallMicros() - *kept.ingestor->table().retention;
  // All frames before `low` are old, none from `high` on may go. Frames are in the order of their
  // append times.
  Offset low = info.begin;
  Offset high = read;
  while (low < high) {
    const Offset middle(low.value() + (high.value() - low.value()) / 2);
    MR_ASSIGN(const auto frame, NextRecords(transport_, stream, partition, middle, high));
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

Status Retention::TrimByAge(const Kept& kept, Trims& trims) {
  const TableDefinition& table = kept.ingestor->table();
  for (uint32_t p = 0; p < table.partitions; ++p) {
    const auto young = YoungFrom(kept, PartitionId(p));
    if (!young) {
      return Err(young.error().WithContext(fmt::format("retention of {}", table.name)));
    }
    Trim(kept, p, *young, trims);
  }
  return {};
}

void Retention::TrimBySize(const Kept& kept, Trims& trims) {
  const TableDefinition& table = kept.ingestor->table();
  const StreamId stream = kept.ingestor->stream();
  std::vector<PartitionInfo> partitions;
  size_t bytes = 0;
  for (uint32_t p = 0; p < table.partitions; ++p) {
    partitions.push_back(transport_.Describe(stream, PartitionId(p)));
    bytes += partitions.back().stored_bytes;
  }
  bool is_full = false;
  const size_t excess = bytes - std::min(bytes, *table.retention_bytes);
  for (uint32_t p = 0; excess > 0 && p < table.partitions; ++p) {
    const PartitionInfo& info = partitions[p];
    const auto share = static_cast<size_t>(Uint128{excess} * info.stored_bytes / bytes);
    const auto behind = [&](Offset end) {
      return transport_.OffsetBehind(stream, PartitionId(p), share, end);
    };
    const Offset read = ReadBy(kept, PartitionId(p), info);
    is_full = is_full || behind(info.durable_end) > read;
    Trim(kept, p, behind(std::min(read, Offset(info.durable_end.value() - 1))), trims);
  }
  if (is_full != kept.ingestor->is_full()) {
    MR_LOG(kAppLog, kWarning, "a table was filled to its retention_bytes, or has room again",
           {"table", table.name}, {"full", is_full}, {"bytes", bytes},
           {"retention_bytes", *table.retention_bytes});
  }
  kept.ingestor->SetFull(is_full);
  kept.metrics.full.Set(is_full ? 1 : 0);
}

void Retention::Trim(const Kept& kept, uint32_t partition, Offset begin, Trims& trims) {
  const StreamId stream = kept.ingestor->stream();
  const Offset now = transport_.Describe(stream, PartitionId(partition)).begin;
  if (begin <= now) {
    return;
  }
  if (trims.epoch == nullptr) {
    trims.epoch = transport_.BeginEpoch();
  }
  trims.epoch->Trim(stream, PartitionId(partition), begin);
  trims.counts.emplace_back(kept.metrics.trimmed, static_cast<double>(begin - now));
  MR_LOG(kAppLog, kDebug, "records are given up", {"table", kept.ingestor->table().name},
         {"partition", partition}, {"begin", begin.value()});
}

Status Retention::Step() {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  const bool looks_at_ages = now >= next_ages_;
  Trims trims;
  for (const Kept& kept : tables_) {
    if (kept.ingestor->table().retention_bytes) {
      TrimBySize(kept, trims);
    }
    if (kept.ingestor->table().retention && looks_at_ages) {
      MR_TRY(TrimByAge(kept, trims));
    }
  }
  if (looks_at_ages) {
    next_ages_ = now + kAgePeriod;
  }
  if (trims.epoch != nullptr) {
    trims.epoch->CommitAsync([counts = std::move(trims.counts)](const CommitResult& result) {
      if (result.outcome == CommitOutcome::kCommitted) {
        for (const auto& [counter, records] : counts) {
          counter.Add(records);
        }
      }
    });
  }
  return {};
}

}  // namespace millrace
