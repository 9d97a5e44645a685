#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/direct_tables.h"
#include "millrace/app/platform_views.h"
#include "millrace/app/project.h"
#include "millrace/app/project_changes.h"
#include "millrace/app/retention.h"
#include "millrace/base/clock.h"
#include "millrace/base/file_system.h"
#include "millrace/base/metrics.h"
#include "millrace/base/thread.h"
#include "millrace/connect/idempotency_store.h"
#include "millrace/connect/sink_thread.h"
#include "millrace/connect/source_thread.h"
#include "millrace/connect/stepped_thread.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/engine/engine_options.h"
#include "millrace/engine/worker_pool.h"
#include "millrace/stream/embedded/embedded_transport.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A running project: the transport, an ingestor for each table, a pipeline for each view, a source
/// for each table that is not filled by clients. Stops in
/// the reverse order of construction.
class Platform {
 public:
  struct Options {
    std::string data_dir;
    EngineOptions engine;
    EmbeddedTransport::Options storage;
    ProjectChangeOptions changes;
    MetricsRegistry* metrics = nullptr;  ///< Outlives the platform; null = nothing is counted.
    /// Whether views that are built beside others take their places by themselves; else by calls of
    /// ReplaceViews.
    bool replaces_views = true;
  };

  /// Opens the data directory, recovers, and starts all pipelines. `files` and `clock` outlive it.
  static Result<std::unique_ptr<Platform>> Start(Project project, FileSystem& files,
                                                 const Clock& clock, Options options);
  ~Platform();

  Transport& transport() { return *transport_; }
  const Clock& clock() const { return clock_; }
  /// Of the state of all views.
  const MemoryBudget& memory() const { return *memory_; }
  const Project& project() const { return project_; }

  IdempotencyStore& idempotency() { return *idempotency_; }

  /// Null when there is no such table.
  StreamIngestor* FindIngestor(std::string_view table);

  /// Null when there is no such table, or clients fill it.
  SourceThread* FindSource(std::string_view table);
  const std::map<std::string, std::unique_ptr<StreamIngestor>, std::less<>>& ingestors() const {
    return ingestors_;
  }
  const std::map<std::string, std::unique_ptr<SourceThread>, std::less<>>& sources() const {
    return sources_;
  }

  struct Sink {
    const SinkDefinition* definition = nullptr;
    /// Null: the sink waits, for its view to be replaced, or to be rebuilt because its stream is
    /// not the one that it has read.
    std::shared_ptr<SinkThread> thread;
  };
  using Sinks = std::map<std::string, Sink, std::less<>>;
  Sinks sinks() const MR_EXCLUDES(mutex_);

  /// The views as they are now; others may come any time.
  std::shared_ptr<const ServedViews> views() const { return views_->served(); }

  /// Lets views that were built beside others, and are ready, take their places. One thread at a
  /// time. Errors: those of Transport::ChangeStreams and of a sink's start.
  Status ReplaceViews() MR_EXCLUDES(mutex_);

  /// Calls `listener` after each commit of any view, on pipelines' threads; it must be brief. Set
  /// before the first request.
  void SetCommitListener(std::function<void()> listener) MR_EXCLUDES(mutex_);
  /// The same for the replacement of views by those that were built beside them.
  void SetReplacementListener(std::function<void()> listener) MR_EXCLUDES(mutex_);

 private:
  Platform(Project project, FileSystem& files, const Clock& clock, Options options);

  Status Open();
  Result<ProjectChanges> ApplyChanges();
  Status OpenTable(const TableDefinition& table);
  Status StartViews(const ProjectChanges& changes);
  Status StartSource(const TableDefinition& table);
  Status StartSink(const SinkDefinition& sink) MR_EXCLUDES(mutex_);
  void StartRetention(const ProjectChanges& changes);
  void StartReplacements();
  void Tick() MR_EXCLUDES(mutex_);

  const Project project_;
  FileSystem& files_;
  const Clock& clock_;
  const Options options_;
  std::unique_ptr<Transport> transport_;
  DirectTables direct_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<MemoryBudget> memory_;
  std::unique_ptr<IdempotencyStore> idempotency_;
  std::map<std::string, std::unique_ptr<StreamIngestor>, std::less<>> ingestors_;
  std::unique_ptr<PlatformViews> views_;
  std::map<std::string, std::unique_ptr<SourceThread>, std::less<>> sources_;
  mutable Mutex mutex_;
  CondVar wakeup_;
  Sinks sinks_ MR_GUARDED_BY(mutex_);
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::function<void()> commit_listener_ MR_GUARDED_BY(mutex_);
  std::function<void()> replacement_listener_ MR_GUARDED_BY(mutex_);
  Thread ticker_;
  std::optional<Retention> retention_;
  SteppedThread retention_thread_;
  SteppedThread replacement_thread_;
};

}  // namespace millrace
