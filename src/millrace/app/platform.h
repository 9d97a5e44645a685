#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/app/direct_tables.h"
#include "millrace/app/project.h"
#include "millrace/app/project_changes.h"
#include "millrace/app/retention.h"
#include "millrace/app/view_build.h"
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
#include "millrace/engine/pipeline_thread.h"
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
    /// Null: the sink waits to be rebuilt, its stream is not the one that it has read.
    std::unique_ptr<SinkThread> thread;
  };
  const std::map<std::string, Sink, std::less<>>& sinks() const { return sinks_; }

  struct View {
    const ViewDefinition* definition = nullptr;
    std::unique_ptr<PipelineThread> thread;
    std::unique_ptr<ViewBuild> build;
    const PipelineRunner& runner() const { return *thread->runner(); }
  };
  /// Null when there is no such materialized view.
  View* FindView(std::string_view name);
  std::map<std::string, View, std::less<>>& views() { return views_; }
  /// How much of what was there before it the view, and what it reads, has taken in: from 0 to 1.
  double BuildProgress(const View& view) const;

  /// Calls `listener` after each commit of any view, on pipelines' threads; it must be brief. Set
  /// before the first request.
  void SetCommitListener(std::function<void()> listener) MR_EXCLUDES(mutex_);

 private:
  Platform(Project project, FileSystem& files, const Clock& clock, Options options);

  Status Open();
  Status ApplyChanges();
  Status OpenTable(const TableDefinition& table);
  Status StartView(const ViewDefinition& view);
  Status StartSource(const TableDefinition& table);
  Status StartSink(const SinkDefinition& sink);
  void StartRetention();
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
  std::map<std::string, View, std::less<>> views_;
  std::map<std::string, std::unique_ptr<SourceThread>, std::less<>> sources_;
  std::map<std::string, Sink, std::less<>> sinks_;
  Mutex mutex_;
  CondVar wakeup_;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::function<void()> commit_listener_ MR_GUARDED_BY(mutex_);
  Thread ticker_;
  std::optional<Retention> retention_;
  SteppedThread retention_thread_;
};

}  // namespace millrace
