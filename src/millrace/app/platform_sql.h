#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/position_waits.h"
#include "millrace/app/query_metrics.h"
#include "millrace/app/query_options.h"
#include "millrace/base/bounded_queue.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/engine/query_execution.h"
#include "millrace/serve/sql_service.h"

namespace millrace {

/// SQL queries of clients over what is committed, on threads of their own, so that no pipeline
/// waits for one. A materialized view is read as one commit has left it, a table up to its durable
/// end.
class PlatformSql final : public serve::SqlService {
 public:
  /// `platform` and `waits` outlive it; it stops the waits when it ends.
  PlatformSql(Platform& platform, PositionWaits& waits, const QueryOptions& options,
              SqlMetrics metrics);
  /// Gives up the queries that run.
  ~PlatformSql() override;

  void Query(serve::SqlRequest request, Done done) override;

 private:
  /// What queries find, as of one time.
  struct Queried {
    std::shared_ptr<const ServedViews> served;
    ProjectDefinition definition;
  };
  struct Job {
    serve::SqlRequest request;
    std::shared_ptr<const Queried> queried;  ///< That `query` was compiled for.
    QueryDefinition query;
    std::chrono::nanoseconds begun{0};
    std::chrono::nanoseconds deadline{0};
    Done done;
  };

  void Push(std::function<void()> work, const Done& done);
  /// Reads the SQL, then runs it or waits for its position.
  void Begin(const std::shared_ptr<Job>& job);
  Status Compile(Job& job);
  void Finish(Job& job);
  Result<std::string> Run(Job& job);
  struct StoredStream {
    StreamId id;
    uint32_t partitions = 0;
  };
  /// `view`: the one of that name; null = it is another stream.
  Result<StoredStream> StreamOf(const std::string& name, const RunningView* view);
  std::shared_ptr<const Queried> queried() MR_EXCLUDES(mutex_);
  Result<std::vector<std::vector<std::unique_ptr<QueryInput>>>> OpenInputs(
      const PipelinePlan& plan, const ServedViews& served_views);
  void Answer(const Job& job, Result<std::string> answer);

  Platform& platform_;
  PositionWaits& waits_;
  const QueryOptions options_;
  const SqlMetrics metrics_;
  std::atomic<bool> ended_{false};
  Mutex mutex_;
  std::shared_ptr<const Queried> queried_ MR_GUARDED_BY(mutex_);
  BoundedQueue<std::function<void()>> queue_;
  std::vector<Thread> threads_;
};

}  // namespace millrace
