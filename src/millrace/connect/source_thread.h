#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"
#include "millrace/connect/source.h"

namespace millrace {

/// The thread that steps one source until it is told to stop or the source fails.
class SourceThread {
 public:
  SourceThread() = default;
  /// Stops first.
  ~SourceThread();

  /// Ends a wait between two steps; any thread, also before Start and after the end. Pass it to the
  /// source.
  void Wake() MR_EXCLUDES(mutex_);

  /// `name`: its table's; shows in the log and in debuggers.
  void Start(const std::string& name, std::unique_ptr<Source> source);

  /// Ends after the step that runs, and joins.
  void Stop() MR_EXCLUDES(mutex_);

  /// The source's, with kFailed and the error once a step has failed.
  SourceStatus status() MR_EXCLUDES(mutex_);

 private:
  void Loop() MR_EXCLUDES(mutex_);

  std::string name_;
  std::unique_ptr<Source> source_;
  Mutex mutex_;
  CondVar wakeup_;
  bool woken_ MR_GUARDED_BY(mutex_) = false;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ MR_GUARDED_BY(mutex_);
  Thread thread_;
};

}  // namespace millrace
