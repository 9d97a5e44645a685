#pragma once

#include <functional>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {

/// Workers: the threads that run the tasks of all pipelines. A pipeline hands over one phase of an
/// epoch at a time and takes part in it itself, so that it never waits for an idle worker.
/// Thread-safe.
class WorkerPool {
 public:
  /// `workers` - 1 threads are started: the caller of ForEach is the other one.
  explicit WorkerPool(int workers);
  ~WorkerPool();

  /// Calls `task(i)` for each i in [0, count), on several threads, and returns when all have ended.
  void ForEach(size_t count, const std::function<void(size_t)>& task) MR_EXCLUDES(mutex_);

  int workers() const { return static_cast<int>(threads_.size()) + 1; }

 private:
  struct Phase {
    const std::function<void(size_t)>* task = nullptr;
    size_t count = 0;
    size_t next = 0;
    size_t running = 0;
  };

  void Loop() MR_EXCLUDES(mutex_);
  bool RunOne(Phase& phase) MR_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar work_;
  CondVar ended_;
  std::vector<Phase*> phases_ MR_GUARDED_BY(mutex_);
  bool stopping_ MR_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace millrace
