#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "millrace/base/mutex.h"
#include "millrace/base/result.h"
#include "millrace/base/thread.h"

namespace millrace {

/// A thread that does one step after the other until it is told to stop or a step fails; for
/// sources and sinks, which tests step themselves.
class SteppedThread {
 public:
  /// Does a bounded piece of work. Returns when to call again unless woken before: 0 = at once,
  /// kUntilWoken.
  using Step = std::function<Result<std::chrono::nanoseconds>()>;
  static constexpr std::chrono::nanoseconds kUntilWoken = std::chrono::nanoseconds::max();

  SteppedThread() = default;
  /// Stops first.
  ~SteppedThread() { Stop(); }
  SteppedThread(const SteppedThread&) = delete;
  SteppedThread& operator=(const SteppedThread&) = delete;

  /// Ends a wait between two steps; any thread, also before Start and after the end.
  void Wake() MR_EXCLUDES(mutex_);

  /// `name`: of the table; shows in debuggers. `failed`: gets the error that ends the steps, on the
  /// thread.
  void Start(const std::string& name, Step step, std::function<void(const Error&)> failed);

  /// Ends after the step that runs, and joins.
  void Stop() MR_EXCLUDES(mutex_);

  /// What has ended the steps, if anything has.
  std::optional<Error> failure() MR_EXCLUDES(mutex_);

 private:
  void Loop() MR_EXCLUDES(mutex_);

  Step step_;
  std::function<void(const Error&)> failed_;
  Mutex mutex_;
  CondVar wakeup_;
  bool woken_ MR_GUARDED_BY(mutex_) = false;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
