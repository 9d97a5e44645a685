#pragma once

#include <optional>

#include "millrace/base/mutex.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A commit that its thread waits for. Used once; outlives the call of its callback.
class AwaitedCommit {
 public:
  CommitCallback callback() {
    return [this](const CommitResult& result) {
      MutexLock lock(mutex_);
      result_ = result;
      decided_.NotifyAll();
    };
  }

  /// Blocks until the commit is decided. Never on the thread that decides.
  CommitResult Wait() MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (!result_) {
      decided_.Wait(mutex_);
    }
    return *result_;
  }

 private:
  Mutex mutex_;
  CondVar decided_;
  std::optional<CommitResult> result_ MR_GUARDED_BY(mutex_);
};

}  // namespace millrace
