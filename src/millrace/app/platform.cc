#include "millrace/app/platform.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/logger.h"
#include "millrace/app/project_history.h"
#include "millrace/base/machine.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/ingest_options.h"
#include "millrace/connect/sink_options.h"

namespace millrace {

namespace {

constexpr std::chrono::seconds kTickPeriod{1};
constexpr std::chrono::nanoseconds kReplacementPeriod = std::chrono::milliseconds(50);

}  // namespace

Platform::Platform(Project project, FileSystem& files, const Clock& clock, Options options)
    : project_(std::move(project)), files_(files), clock_(clock), options_(std::move(options)) {}

Result<std::unique_ptr<Platform>> Platform::Start(Project project, FileSystem& files,
                                                  const Clock& clock, Options options) {
  std::unique_ptr<Platform> platform(
      new Platform(std::move(project), files, clock, std::move(options)));
  MR_TRY(platform->Open());
  return platform;
}

Status Platform::Open() {
  EmbeddedTransport::Options storage = options_.storage;
  if (options_.metrics != nullptr) {
    storage.metrics = EmbeddedMetrics(*options_.metrics);
  }
  MR_ASSIGN(transport_,
            EmbeddedTransport::Open(files_, clock_, options_.data_dir, std::move(storage)));
  workers_ = std::make_unique<WorkerPool>(options_.engine.workers > 0 ? options_.engine.workers
                                                                      : AvailableProcessors());
  constexpr double kShare = 0.75;
  memory_ = std::make_unique<MemoryBudget>(
      options_.engine.memory_limit > 0
          ? options_.engine.memory_limit
          : static_cast<size_t>(kShare * static_cast<double>(MachineMemoryBytes(files_))));
  MR_TRY(KeepProject(project_, *transport_));
  MR_ASSIGN(const ProjectChanges changes, ApplyChanges());
  MR_ASSIGN(direct_, DirectTables::Open(project_.definition, *transport_));
  MR_ASSIGN(idempotency_, IdempotencyStore::Open(*transport_, clock_,
                                                 options_.metrics != nullptr
                                                     ? IdempotencyMetrics(*options_.metrics)
                                                     : IdempotencyMetrics()));
  for (const TableDefinition& table : project_.definition.tables) {
    if (auto opened = OpenTable(table); !opened) {
      return Err(opened.error().WithContext(fmt::format("table {}", table.name)));
    }
  }
  MR_TRY(StartViews(changes));
  for (const SinkDefinition& sink : project_.definition.sinks) {
    if (auto started = StartSink(sink); !started) {
      return Err(started.error().WithContext(fmt::format("sink {}", sink.table.name)));
    }
  }
  for (const TableDefinition& table : project_.definition.tables) {
    if (auto started = StartSource(table); !started) {
      return Err(started.error().WithContext(fmt::format("table {}", table.name)));
    }
  }
  ticker_ = Thread("mr-ticker", [this] { Tick(); });
  StartRetention(changes);
  StartReplacements();
  return {};
}

Result<ProjectChanges> Platform::ApplyChanges() {
  MR_ASSIGN(auto changes, ProjectChanges::Find(project_.definition, *transport_, options_.changes));
  for (const ProjectChange& change : changes.list()) {
    if (change.kind != ProjectChange::Kind::kKept && change.kind != ProjectChange::Kind::kCreated) {
      MR_LOG(kAppLog, kInfo, "the project differs from the data directory",
             {"kind", change.is_sink   ? "sink"
                      : change.is_view ? "view"
                                       : "table"},
             {"name", change.name}, {"change", Name(change.kind)}, {"reason", change.reason});
    }
  }
  MR_TRY(changes.Apply(*transport_));
  return changes;
}

Status Platform::OpenTable(const TableDefinition& table) {
  StreamIngestor::Options options = ReadIngestOptions(table);
  if (options_.metrics != nullptr) {
    options.metrics = IngestMetrics(*options_.metrics, table.name);
  }
  const Connector* const connector = FindConnector(table);
  if (table.is_direct && connector != nullptr && connector->can_skip_columns != nullptr &&
      connector->can_skip_columns(table)) {
    options.unread = UnreadColumns(table, project_.definition);
  }
  MR_ASSIGN(ingestors_[table.name],
            StreamIngestor::Open(table, direct_.SourceSide(table), clock_, options));
  return {};
}

Status Platform::StartSource(const TableDefinition& table) {
  const Connector* const connector = FindConnector(table);
  if (connector == nullptr || connector->open == nullptr) {
    return {};
  }
  auto thread = std::make_unique<SourceThread>();
  MR_ASSIGN(auto source, connector->open(table, {.ingestor = *FindIngestor(table.name),
                                                 .transport = direct_.SourceSide(table),
                                                 .files = files_,
                                                 .clock = clock_,
                                                 .project_dir = project_.directory,
                                                 .wake = [t = thread.get()] { t->Wake(); }}));
  thread->Start(table.name, std::move(source));
  sources_[table.name] = std::move(thread);
  return {};
}

Status Platform::StartSink(const SinkDefinition& sink) {
  const std::string& name = sink.table.name;
  Sink started{.definition = &sink, .thread = nullptr};
  const auto stream = transport_->FindStream(sink.stream);
  if (!stream) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("stream {}", sink.stream));
  }
  if (views()->next.contains(sink.stream)) {
    MR_LOG(kAppLog, kInfo, "sink waits until what it reads is rebuilt", {"table", name},
           {"stream", sink.stream});
  } else if (HasReadAnotherStream(*transport_, name, stream->id)) {
    MR_LOG(kAppLog, kWarning,
           "sink waits: what it reads was rebuilt; empty its target and run with --rebuild-sinks",
           {"table", name}, {"stream", sink.stream});
  } else {
    started.thread = std::make_shared<SinkThread>();
    started.thread->Start(
        name, MakeSinkRunner(
                  sink.table, *stream,
                  {.transport = *transport_,
                   .files = files_,
                   .clock = clock_,
                   .project_dir = project_.directory,
                   .wake = [t = started.thread.get()] { t->Wake(); },
                   .metrics = options_.metrics == nullptr ? SinkMetrics()
                                                          : SinkMetrics(*options_.metrics, name)}));
  }
  MutexLock lock(mutex_);
  sinks_[name] = std::move(started);
  return {};
}

Platform::Sinks Platform::sinks() const {
  MutexLock lock(mutex_);
  return sinks_;
}

Status Platform::StartViews(const ProjectChanges& changes) {
  views_ = std::make_unique<PlatformViews>(
      PlatformViews::Surroundings{.transport = *transport_,
                                  .direct = direct_,
                                  .clock = clock_,
                                  .workers = *workers_,
                                  .memory = *memory_,
                                  .pipeline = options_.engine.pipeline,
                                  .metrics = options_.metrics,
                                  .on_commit = [this] {
                                    MutexLock lock(mutex_);
                                    if (commit_listener_) {
                                      commit_listener_();
                                    }
                                  }});
  return views_->Start(project_.definition, changes.beside());
}

void Platform::StartReplacements() {
  if (!options_.replaces_views || !views_->has_next()) {
    return;
  }
  replacement_thread_.Start(
      "replacements",
      [this]() -> Result<std::chrono::nanoseconds> {
        MR_TRY(ReplaceViews());
        return views_->has_next() ? kReplacementPeriod : SteppedThread::kUntilWoken;
      },
      [](const Error& error) {
        MR_LOG_ERROR(kAppLog, kError, "views that were built anew do not take their places", error);
      });
}

Status Platform::ReplaceViews() {
  MR_ASSIGN(const auto replaced, views_->ReplaceReady());
  if (replaced.empty()) {
    return {};
  }
  for (const SinkDefinition& sink : project_.definition.sinks) {
    if (std::ranges::find(replaced, sink.stream) != replaced.end()) {
      MR_TRY(StartSink(sink));
    }
  }
  MutexLock lock(mutex_);
  if (replacement_listener_) {
    replacement_listener_();
  }
  return {};
}

Platform::~Platform() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wakeup_.NotifyAll();
  }
  ticker_.Join();
  replacement_thread_.Stop();
  retention_thread_.Stop();
  Sinks sinks;
  {
    MutexLock lock(mutex_);
    sinks.swap(sinks_);
  }
  sinks.clear();
  direct_.Close();
  sources_.clear();
  views_.reset();
  // Answers what is queued; the callbacks use the ingestors and the store.
  transport_.reset();
}

StreamIngestor* Platform::FindIngestor(std::string_view table) {
  const auto found = ingestors_.find(table);
  return found == ingestors_.end() ? nullptr : found->second.get();
}

SourceThread* Platform::FindSource(std::string_view table) {
  const auto found = sources_.find(table);
  return found == sources_.end() ? nullptr : found->second.get();
}

void Platform::SetCommitListener(std::function<void()> listener) {
  MutexLock lock(mutex_);
  commit_listener_ = std::move(listener);
}

void Platform::SetReplacementListener(std::function<void()> listener) {
  MutexLock lock(mutex_);
  replacement_listener_ = std::move(listener);
}

void Platform::StartRetention(const ProjectChanges& changes) {
  retention_.emplace(*transport_, clock_, options_.metrics);
  for (const auto& [name, ingestor] : ingestors_) {
    retention_->AddTable(*ingestor, project_.definition, changes.beside());
  }
  for (const ViewDefinition& view : project_.definition.views) {
    retention_->AddView(view, project_.definition);
  }
  if (retention_->empty()) {
    return;
  }
  retention_thread_.Start(
      "retention",
      [this]() -> Result<std::chrono::nanoseconds> {
        if (auto looked = retention_->Step(); !looked) {
          MR_LOG_ERROR(kAppLog, kWarning, "records beyond their retention stay; trying again",
                       looked.error());
        }
        return Retention::kPeriod;
      },
      [](const Error&) {});
}

void Platform::Tick() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    wakeup_.WaitFor(mutex_, kTickPeriod);
    for (const auto& [name, ingestor] : ingestors_) {
      ingestor->Tick();
    }
    views_->ClearBuilds();
  }
}

}  // namespace millrace
