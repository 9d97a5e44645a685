#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>

#include "millrace/base/mutex.h"
#include "millrace/base/result.h"

namespace millrace {

/// A thread with a stack of its own size that runs one piece of work after the other; for recursion
/// over input whose depth is bounded, but not by the caller's stack, and for libraries that keep
/// something of every thread that has called them. Thread-safe.
class LargeStackThread {
 public:
  /// The thread is started by the first Run.
  explicit LargeStackThread(size_t stack_bytes) : stack_bytes_(stack_bytes) {}
  /// Joins. No Run is under way.
  ~LargeStackThread();

  /// Runs `body` there and waits for it; memory of the stack that it has used is given back. Fails
  /// with kIoError when the operating system refuses the thread; `body` has not run then.
  Status Run(const std::function<void()>& body) MR_EXCLUDES(turn_, mutex_);

 private:
  static void* Main(void* self);
  Status Start() MR_REQUIRES(turn_);
  void Loop() MR_EXCLUDES(mutex_);
  void GiveBackStack() const;

  const size_t stack_bytes_;
  Mutex turn_;  ///< Held while work is under way; taken before mutex_.
  void* stack_ MR_GUARDED_BY(turn_) = nullptr;
  pthread_t thread_ MR_GUARDED_BY(turn_){};
  Mutex mutex_;
  CondVar changed_;
  const std::function<void()>* body_ MR_GUARDED_BY(mutex_) = nullptr;
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
};

}  // namespace millrace
