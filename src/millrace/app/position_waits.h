#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "millrace/app/platform.h"
#include "millrace/app/position_wait.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {

/// All queries that wait for a position: looks at them after each commit of a view. Has a thread.
/// Thread-safe.
class PositionWaits {
 public:
  /// Called once: without an error when the position is reached, else with kPositionNotReached at
  /// the deadline, or kUnavailable.
  using Done = std::function<void(Status)>;

  /// `platform` outlives it.
  explicit PositionWaits(Platform& platform);
  ~PositionWaits();

  const ViewFrontier& frontier() const { return frontier_; }

  /// Calls `done` at once when nothing is to be waited for. `deadline`: on the monotonic clock.
  /// `views`: those that there were before `wait` was made.
  void Add(PositionWait wait, std::shared_ptr<const ServedViews> views,
           std::chrono::nanoseconds deadline, Done done) MR_EXCLUDES(mutex_);

  /// Ends all waits, also those to come; returns when no call of a Done runs any more.
  void Stop() MR_EXCLUDES(mutex_);

 private:
  struct Waiting {
    PositionWait wait;
    std::shared_ptr<const ServedViews> views;  ///< That it is made for.
    std::chrono::nanoseconds deadline;
    Done done;
  };

  void Look() MR_EXCLUDES(mutex_);
  void Loop() MR_EXCLUDES(mutex_);

  Platform& platform_;
  const ViewFrontier frontier_;
  Mutex mutex_;
  CondVar wakeup_;
  bool committed_ MR_GUARDED_BY(mutex_) = false;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::vector<Waiting> waiting_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
