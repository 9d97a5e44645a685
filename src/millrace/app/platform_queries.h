#pragma once

#include <functional>
#include <string>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/platform_figures.h"
#include "millrace/app/position_wait.h"
#include "millrace/app/query_metrics.h"
#include "millrace/base/bounded_queue.h"
#include "millrace/base/thread.h"
#include "millrace/serve/query_service.h"

namespace millrace {

/// Answers queries over committed rows and retained records on threads of its own, never on those
/// of pipelines or of the server.
class PlatformQueries final : public serve::QueryService {
 public:
  /// `platform` and `figures` outlive it.
  PlatformQueries(Platform& platform, const PlatformFigures& figures, QueryMetrics metrics);
  ~PlatformQueries() override;

  void ListStreams(Done done) override;
  void DescribeStream(std::string stream, Done done) override;
  void ReadRecords(serve::RecordsQuery query, Done done) override;
  void ListViews(Done done) override;
  void QueryView(serve::ViewQuery query, Done done) override;

 private:
  struct Waiting {
    serve::ViewQuery query;
    PositionWait wait;
    std::chrono::nanoseconds deadline;
    Done done;
  };

  void Post(std::function<Result<std::string>()> work, const Done& done);
  /// Whether a query that waits for a position may run.
  bool IsReached(const std::string& view, PositionWait& wait);
  Result<std::string> RunView(const serve::ViewQuery& query);
  Result<std::string> RunRecords(const serve::RecordsQuery& query);
  std::string StreamJson(const StreamInfo& stream);
  std::string ViewJson(const Platform::View& view);
  void CheckWaiting() MR_EXCLUDES(mutex_);
  void WaitLoop() MR_EXCLUDES(mutex_);

  Platform& platform_;
  const PlatformFigures& figures_;
  const QueryMetrics metrics_;
  const ViewFrontier frontier_;
  BoundedQueue<std::function<void()>> queue_;
  std::vector<Thread> threads_;

  Mutex mutex_;
  CondVar wakeup_;
  bool committed_ MR_GUARDED_BY(mutex_) = false;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::vector<Waiting> waiting_ MR_GUARDED_BY(mutex_);
  Thread wait_thread_;
};

}  // namespace millrace
