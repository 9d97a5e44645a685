#pragma once

#include <functional>
#include <string>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/platform_figures.h"
#include "millrace/app/position_waits.h"
#include "millrace/app/query_metrics.h"
#include "millrace/base/bounded_queue.h"
#include "millrace/base/thread.h"
#include "millrace/serve/query_service.h"

namespace millrace {

/// Answers queries over committed rows and retained records on threads of its own, never on those
/// of pipelines or of the server.
class PlatformQueries final : public serve::QueryService {
 public:
  /// `platform`, `figures` and `waits` outlive it; it stops the waits when it ends.
  PlatformQueries(Platform& platform, const PlatformFigures& figures, PositionWaits& waits,
                  QueryMetrics metrics);
  ~PlatformQueries() override;

  void ListStreams(Done done) override;
  void DescribeStream(std::string stream, Done done) override;
  void ReadRecords(serve::RecordsQuery query, Done done) override;
  void ListViews(Done done) override;
  void QueryView(serve::ViewQuery query, Done done) override;

 private:
  void Post(std::function<Result<std::string>()> work, const Done& done);
  Result<std::string> RunView(const serve::ViewQuery& query);
  Result<std::string> RowsOf(const RunningView& view, const serve::ViewQuery& query);
  Result<std::string> RunRecords(const serve::RecordsQuery& query);
  std::string StreamJson(const StreamInfo& stream);
  /// `next`: what is to take its place; null = nothing.
  std::string ViewJson(RunningView& view, RunningView* next);

  Platform& platform_;
  const PlatformFigures& figures_;
  PositionWaits& waits_;
  const QueryMetrics metrics_;
  BoundedQueue<std::function<void()>> queue_;
  std::vector<Thread> threads_;
};

}  // namespace millrace
