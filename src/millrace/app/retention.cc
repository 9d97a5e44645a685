#include "millrace/app/retention.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "millrace/app/logger.h"
#include "millrace/app/next_streams.h"
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

/// How long the records behind a table or view are kept; none = for ever.
std::optional<Micros> RetentionBehind(const std::string& name, const ProjectDefinition& project) {
  if (const auto view = std::ranges::find(project.views, name, &ViewDefinition::name);
      view != project.views.end()) {
    std::optional<Micros> longest;
    for (const std::string& input : view->inputs) {
      const auto retention = RetentionBehind(input, project);
      if (!retention) {
        return std::nullopt;
      }
      longest = std::max(longest.value_or(0), *retention);
    }
    return longest;
  }
  const auto table = std::ranges::find(project.tables, name, &TableDefinition::name);
  return table == project.tables.end() ? std::nullopt : table->retention;
}

}  // namespace

RetentionMetrics::RetentionMetrics(MetricsRegistry& registry, std::string_view table,
                                   bool may_be_full) {
  const MetricLabels labels{{"table", std::string(table)}};
  trimmed = registry.AddCounter({"millrace_table_trimmed_records_total",
                                 "Records given up because they were older than the table's "
                                 "retention, or beyond its retention_bytes; counts control frames.",
                                 "records"},
                                labels);
  if (!may_be_full) {
    return;
  }
  full = registry.AddGauge({"millrace_table_full",
                            "1 while a table has its retention_bytes, and its readers are too far "
                            "behind for any to go.",
                            ""},
                           labels);
}

void Retention::Add(Kept kept) {
  if (!kept.retention && !kept.retention_bytes) {
    return;
  }
  if (metrics_ != nullptr) {
    kept.metrics = RetentionMetrics(*metrics_, kept.stream, kept.ingestor != nullptr);
  }
  kept_.push_back(std::move(kept));
}

void Retention::AddTable(StreamIngestor& ingestor, const ProjectDefinition& project,
                         const ProjectChanges::Beside& beside) {
  const TableDefinition& table = ingestor.table();
  const auto is_read_by = [&](const ViewDefinition& view) {
    return std::ranges::find(view.inputs, table.name) != view.inputs.end();
  };
  std::vector<Reader> readers;
  for (const ViewDefinition& view : project.views) {
    const std::string reader = ReaderOfView(view.name);
    if (is_read_by(view)) {
      readers.push_back({.name = reader});
    }
    const auto former = beside.find(view.name);
    if (former == beside.end()) {
      continue;
    }
    const std::string next = NextName(StateStreamOf(view.name));
    if (is_read_by(view)) {
      readers.push_back({.name = NextName(reader), .while_there = next});
    } else if (is_read_by(*former->second->FindView(view.name))) {
      readers.push_back({.name = reader, .while_there = next});
    }
  }
  for (const SinkDefinition& sink : project.sinks) {
    if (sink.stream == table.name) {
      readers.push_back({.name = ReaderOfSink(sink.table.name)});
    }
  }
  Add({.stream = table.name,
       .retention = table.retention,
       .retention_bytes = table.retention_bytes,
       .readers = std::move(readers),
       .ingestor = &ingestor});
  Add({.stream = "errors$" + table.name,
       .retention = table.retention,
       .retention_bytes = table.retention_bytes});
}

void Retention::AddView(const ViewDefinition& view, const ProjectDefinition& project) {
  const auto retention = RetentionBehind(view.name, project);
  for (const std::string_view prefix : {"errors$", "late$"}) {
    Add({.stream = fmt::format("{}{}", prefix, view.name),
         .retention = retention,
         .retention_bytes = {}});
  }
}

Offset Retention::ReadBy(const Kept& kept, StreamId stream, PartitionId partition,
                         const PartitionInfo& info) {
  Offset read = info.durable_end;
  for (const Reader& reader : kept.readers) {
    if (!reader.while_there.empty() && !transport_.FindStream(reader.while_there)) {
      continue;
    }
    const auto positions = transport_.ReaderPositions(reader.name);
    const auto position = positions.find({stream, partition});
    read = std::min(read, position == positions.end() ? info.begin : position->second);
  }
  return read;
}

Result<Offset> Retention::YoungFrom(const Kept& kept, StreamId stream, PartitionId partition) {
  const PartitionInfo info = transport_.Describe(stream, partition);
  const Offset read = ReadBy(kept, stream, partition, info);
  const Micros cutoff = clock_.WallMicros() - *kept.retention;
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

Status Retention::TrimByAge(const Kept& kept, const StreamInfo& stream, Trims& trims) {
  for (uint32_t p = 0; p < stream.definition.partitions; ++p) {
    const auto young = YoungFrom(kept, stream.id, PartitionId(p));
    if (!young) {
      return Err(young.error().WithContext(fmt::format("retention of {}", kept.stream)));
    }
    Trim(kept, stream.id, PartitionId(p), *young, trims);
  }
  return {};
}

void Retention::TrimBySize(const Kept& kept, const StreamInfo& stream, Trims& trims) {
  std::vector<PartitionInfo> partitions;
  size_t bytes = 0;
  for (uint32_t p = 0; p < stream.definition.partitions; ++p) {
    partitions.push_back(transport_.Describe(stream.id, PartitionId(p)));
    bytes += partitions.back().stored_bytes;
  }
  bool is_full = false;
  const size_t excess = bytes - std::min(bytes, *kept.retention_bytes);
  for (uint32_t p = 0; excess > 0 && p < partitions.size(); ++p) {
    const PartitionInfo& info = partitions[p];
    const auto share = static_cast<size_t>(Uint128{excess} * info.stored_bytes / bytes);
    const auto behind = [&](Offset end) {
      return transport_.OffsetBehind(stream.id, PartitionId(p), share, end);
    };
    const Offset read = ReadBy(kept, stream.id, PartitionId(p), info);
    is_full = is_full || behind(info.durable_end) > read;
    Trim(kept, stream.id, PartitionId(p),
         behind(std::min(read, Offset(info.durable_end.value() - 1))), trims);
  }
  TellWhetherFull(kept, bytes, is_full);
}

void Retention::TellWhetherFull(const Kept& kept, size_t bytes, bool is_full) {
  if (kept.ingestor == nullptr) {
    return;
  }
  if (is_full != kept.ingestor->is_full()) {
    MR_LOG(kAppLog, kWarning, "a table was filled to its retention_bytes, or has room again",
           {"table", kept.stream}, {"full", is_full}, {"bytes", bytes},
           {"retention_bytes", *kept.retention_bytes});
  }
  kept.ingestor->SetFull(is_full);
  kept.metrics.full.Set(is_full ? 1 : 0);
}

void Retention::Trim(const Kept& kept, StreamId stream, PartitionId partition, Offset begin,
                     Trims& trims) {
  const Offset now = transport_.Describe(stream, partition).begin;
  if (begin <= now) {
    return;
  }
  if (trims.epoch == nullptr) {
    trims.epoch = transport_.BeginEpoch();
  }
  trims.epoch->Trim(stream, partition, begin);
  trims.counts.emplace_back(kept.metrics.trimmed, static_cast<double>(begin - now));
  MR_LOG(kAppLog, kDebug, "records are given up", {"stream", kept.stream},
         {"partition", partition.value()}, {"begin", begin.value()});
}

Status Retention::Step() {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  const bool looks_at_ages = now >= next_ages_;
  Trims trims;
  for (const Kept& kept : kept_) {
    const auto stream = transport_.FindStream(kept.stream);
    if (!stream) {
      continue;  // Of a view that is not made yet, or has no late rows.
    }
    if (kept.retention_bytes) {
      TrimBySize(kept, *stream, trims);
    }
    if (kept.retention && looks_at_ages) {
      MR_TRY(TrimByAge(kept, *stream, trims));
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
