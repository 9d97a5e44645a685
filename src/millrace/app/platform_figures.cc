#include "millrace/app/platform_figures.h"

#include <algorithm>

#include "millrace/engine/pipeline_metrics.h"

namespace millrace {

namespace {

constexpr std::chrono::seconds kPeriod{1};

constexpr std::string_view kLag = "millrace_view_lag_rows";
constexpr std::string_view kRows = "millrace_view_rows";
constexpr std::string_view kFailed = "millrace_view_failed";
constexpr std::string_view kRebuild = "millrace_view_rebuild_ratio";
constexpr std::string_view kRebuildFailed = "millrace_view_rebuild_failed";
constexpr std::string_view kSourceFailed = "millrace_source_failed";
constexpr std::string_view kSourceBehind = "millrace_source_behind_bytes";
constexpr std::string_view kSourceAhead = "millrace_source_ahead_blocks";
constexpr std::string_view kSourceUnavailable = "millrace_source_unavailable_splits";
constexpr std::string_view kKeys = "millrace_idempotency_keys";
constexpr std::string_view kMemoryLimit = "millrace_memory_limit_bytes";
constexpr std::string_view kDiskFull = "millrace_stream_disk_full";

}  // namespace

PlatformFigures::PlatformFigures(Platform& platform) : platform_(platform) {
  Note();
  thread_ = Thread("mr-figures", [this] { Loop(); });
}

PlatformFigures::~PlatformFigures() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyAll();
  }
  thread_.Join();
}

void PlatformFigures::Loop() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) {
        wakeup_.WaitFor(mutex_, kPeriod);
      }
      if (stopping_) {
        return;
      }
    }
    Note();
  }
}

void PlatformFigures::Note() {
  const auto now = platform_.clock().Monotonic();
  const std::vector<StreamInfo> streams = platform_.transport().Streams();
  std::map<StreamId, uint64_t> counts;
  for (const StreamInfo& stream : streams) {
    uint64_t ends = 0;
    for (uint32_t p = 0; p < stream.definition.partitions; ++p) {
      ends += static_cast<uint64_t>(
          platform_.transport().Describe(stream.id, PartitionId(p)).durable_end.value());
    }
    counts[stream.id] = ends;
  }
  MutexLock lock(mutex_);
  for (const auto& [stream, count] : counts) {
    streams_[stream].Note(now, count);
  }
  for (const auto& [name, view] : platform_.views()->views) {
    views_[name].Note(now, view->runner().stats().rows_in);
  }
}

PlatformFigures::Durable PlatformFigures::DurableOf(const StreamInfo& stream) const {
  Durable durable;
  for (uint32_t p = 0; p < stream.definition.partitions; ++p) {
    const PartitionInfo info = platform_.transport().Describe(stream.id, PartitionId(p));
    const auto offsets = static_cast<uint64_t>(info.durable_end.value() - info.begin.value());
    durable.offsets += offsets;
    durable.records += offsets - info.control_frames;
  }
  return durable;
}

StreamFigures PlatformFigures::Of(const StreamInfo& stream) const {
  StreamFigures figures{.offsets = DurableOf(stream).offsets};
  if (const auto errors = platform_.transport().FindStream("errors$" + stream.definition.name)) {
    figures.errors = DurableOf(*errors).records;
  }
  MutexLock lock(mutex_);
  const auto meter = streams_.find(stream.id);
  figures.records_per_second = meter == streams_.end() ? 0 : meter->second.PerSecond();
  return figures;
}

uint64_t PlatformFigures::Lag(const RunningView& view) const {
  const auto positions = platform_.transport().ReaderPositions(view.runner().reader());
  uint64_t lag = 0;
  for (const PipelineRunner::Source& source : view.runner().sources()) {
    const PartitionInfo info = platform_.transport().Describe(source.stream, source.partition);
    const auto position = positions.find({source.stream, source.partition});
    const Offset next = position == positions.end() ? info.begin : position->second;
    lag += static_cast<uint64_t>(std::max<int64_t>(info.durable_end.value() - next.value(), 0));
  }
  return lag;
}

ViewFigures PlatformFigures::Of(const RunningView& view) const {
  ViewFigures figures{.lag_rows = Lag(view)};
  if (const ServedRows* served = view.runner().served_rows()) {
    figures.rows = served->root()->rows();
  } else if (const auto stream = platform_.transport().FindStream(view.definition().name)) {
    figures.rows = DurableOf(*stream).records;
  }
  MutexLock lock(mutex_);
  const auto meter = views_.find(view.definition().name);
  figures.rows_per_second = meter == views_.end() ? 0 : meter->second.PerSecond();
  return figures;
}

double PlatformFigures::RecordsPerSecond() const {
  double sum = 0;
  for (const TableDefinition& table : platform_.project().definition.tables) {
    if (const auto stream = platform_.transport().FindStream(table.name)) {
      MutexLock lock(mutex_);
      const auto meter = streams_.find(stream->id);
      sum += meter == streams_.end() ? 0 : meter->second.PerSecond();
    }
  }
  return sum;
}

std::vector<MetricFamilyInfo> PlatformFigures::Families() {
  using Kind = MetricFamilyInfo::Kind;
  std::vector<MetricFamilyInfo> families = PipelineMetricFamilies();
  const auto add = [&](std::string_view name, std::string_view help, std::string_view unit) {
    families.push_back({{std::string(name), std::string(help), std::string(unit)}, Kind::kGauge});
  };
  add(kLag, "Durable records of the source that no commit of the view has taken in yet.", "rows");
  add(kRows, "Rows that the view has.", "rows");
  add(kFailed, "1 when the view has stopped after an error.", "");
  add(kRebuild, "Part of its inputs that a view which is built anew beside this one has taken in.",
      "ratio");
  add(kRebuildFailed, "1 when the view that is built anew beside this one has stopped.", "");
  add(kSourceFailed, "1 when the table's source has stopped after an error.", "");
  add(kSourceBehind, "Bytes of plain files that are there and not read yet.", "bytes");
  add(kSourceAhead, "Blocks of files that are read and not committed.", "blocks");
  add(kSourceUnavailable, "Files that cannot be read at the moment.", "splits");
  add(kKeys, "Idempotency keys that are remembered.", "");
  add(kMemoryLimit, "Memory that the state of all views together may take.", "bytes");
  add(kDiskFull, "1 while commits wait for disk space.", "");
  return families;
}

void PlatformFigures::Collect(MetricsWriter& writer) const {
  const auto served = platform_.views();
  for (const auto& [name, view] : served->views) {
    const MetricLabels labels{{"view", name}};
    CollectPipelineMetrics(view->runner().stats(), labels, writer);
    const ViewFigures figures = Of(*view);
    writer.Value(kLag, labels, static_cast<double>(figures.lag_rows));
    writer.Value(kRows, labels, static_cast<double>(figures.rows));
    writer.Value(kFailed, labels, view->failure() ? 1 : 0);
  }
  for (const auto& [name, next] : served->next) {
    writer.Value(kRebuild, {{"view", name}}, next->Progress());
    writer.Value(kRebuildFailed, {{"view", name}}, next->failure() ? 1 : 0);
  }
  for (const auto& [table, source] : platform_.sources()) {
    const MetricLabels labels{{"table", table}};
    const SourceStatus status = source->status();
    writer.Value(kSourceFailed, labels, status.state == SourceStatus::State::kFailed ? 1 : 0);
    writer.Value(kSourceBehind, labels, static_cast<double>(status.bytes_behind));
    writer.Value(kSourceAhead, labels, static_cast<double>(status.blocks_ahead));
    writer.Value(kSourceUnavailable, labels, static_cast<double>(status.splits_unavailable));
  }
  writer.Value(kKeys, {}, static_cast<double>(platform_.idempotency().size()));
  writer.Value(kMemoryLimit, {}, static_cast<double>(platform_.memory().limit()));
  writer.Value(kDiskFull, {}, platform_.transport().disk_full() ? 1 : 0);
}

}  // namespace millrace
