#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "millrace/base/mutex.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A commit that its thread waits for. Used once; may go before its callback is called.
class AwaitedCommit {
 public:
  CommitCallback callback() {
    return [decision = decision_](const CommitResult& result) {
      MutexLock lock(decision->mutex);
      decision->result = result;
      decision->decided.NotifyAll();
    };
  }

  /// Blocks until the commit is decided. Never on the thread that decides.
  CommitResult Wait() {
    MutexLock lock(decision_->mutex);
    while (!decision_->result) {
      decision_->decided.Wait(decision_->mutex);
    }
    return *decision_->result;
  }

  /// The same for a while; nothing when it was not decided by then.
  std::optional<CommitResult> WaitFor(std::chrono::nanoseconds timeout) {
    MutexLock lock(decision_->mutex);
    if (!decision_->result) {
      decision_->decided.WaitFor(decision_->mutex, timeout);
    }
    return decision_->result;
  }

 private:
  struct Decision {
    Mutex mutex;
    CondVar decided;
    std::optional<CommitResult> result MR_GUARDED_BY(mutex);
  };

  const std::shared_ptr<Decision> decision_ = std::make_shared<Decision>();
};

}  // namespace millrace
