#include "millrace/engine/worker_pool.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace {

WorkerPool::WorkerPool(int workers) {
  for (int i = 1; i < workers; ++i) {
    threads_.emplace_back(fmt::format("mr-worker-{}", i), [this] { Loop(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    work_.NotifyAll();
  }
  threads_.clear();
}

void WorkerPool::ForEach(size_t count, const std::function<void(size_t)>& task) {
  if (count <= 1 || threads_.empty()) {
    for (size_t i = 0; i < count; ++i) {
      task(i);
    }
    return;
  }
  Phase phase{.task = &task, .count = count};
  MutexLock lock(mutex_);
  phases_.push_back(&phase);
  work_.NotifyAll();
  while (RunOne(phase)) {
  }
  while (phase.running > 0) {
    ended_.Wait(mutex_);
  }
}

bool WorkerPool::RunOne(Phase& phase) {
  if (phase.next == phase.count) {
    return false;
  }
  const size_t index = phase.next++;
  if (phase.next == phase.count) {
    std::erase(phases_, &phase);
  }
  ++phase.running;
  mutex_.Unlock();
  (*phase.task)(index);
  mutex_.Lock();
  if (--phase.running == 0 && phase.next == phase.count) {
    ended_.NotifyAll();
  }
  return true;
}

void WorkerPool::Loop() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (phases_.empty()) {
      work_.Wait(mutex_);
    } else {
      RunOne(*phases_.front());
    }
  }
}

}  // namespace millrace
