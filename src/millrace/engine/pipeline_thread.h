#pragma once

#include <memory>
#include <optional>

#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/engine/pipeline_runner.h"

namespace millrace {

/// The thread that steps one pipeline until it is told to stop or the pipeline fails. A failed
/// pipeline stays as it was committed; all others go on.
class PipelineThread {
 public:
  /// `clock` outlives it.
  explicit PipelineThread(const Clock& clock) : clock_(clock) {}
  /// Stops first.
  ~PipelineThread();

  /// Wakes the loop; any thread, also before Start and after the end. Pass it to the runner.
  void Wake() MR_EXCLUDES(mutex_);

  void Start(std::unique_ptr<PipelineRunner> runner);

  /// Ends after the epoch that runs, and joins.
  void Stop() MR_EXCLUDES(mutex_);

  /// Stops, and waits for what is in flight: until Resume nothing of the pipeline is under way.
  void Pause() MR_EXCLUDES(mutex_);
  /// Goes on after Pause; a pipeline that has failed stays as it is.
  void Resume() MR_EXCLUDES(mutex_);

  /// Null before Start.
  const PipelineRunner* runner() const { return runner_.get(); }
  /// Why the pipeline stopped by itself; nothing while it runs.
  std::optional<Error> failure() MR_EXCLUDES(mutex_);

 private:
  void Run();
  void Fail(const Error& error) MR_EXCLUDES(mutex_);
  void Loop() MR_EXCLUDES(mutex_);
  void WaitForWork() MR_REQUIRES(mutex_);

  const Clock& clock_;
  std::unique_ptr<PipelineRunner> runner_;
  Mutex mutex_;
  CondVar wakeup_;
  bool woken_ MR_GUARDED_BY(mutex_) = false;
  /// Until the runner's next_step: no wake-up call would start an epoch earlier.
  bool resting_ MR_GUARDED_BY(mutex_) = false;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
