#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "millrace/base/mutex.h"

namespace millrace {

/// First-in-first-out queue between threads with a fixed capacity. A full queue is backpressure:
/// Push blocks, TryPush refuses. After Close, pushes fail and pops drain what is left.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  /// Blocks while full. Returns false, and drops `value`, when the queue is closed.
  bool Push(T value) MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.size() >= capacity_ && !closed_) {
      not_full_.Wait(mutex_);
    }
    if (closed_) {
      return false;
    }
    items_.push_back(std::move(value));
    not_empty_.NotifyOne();
    return true;
  }

  /// Returns false, and leaves `value` alone, when full or closed.
  bool TryPush(T& value) MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (items_.size() >= capacity_ || closed_) {
      return false;
    }
    items_.push_back(std::move(value));
    not_empty_.NotifyOne();
    return true;
  }

  /// Blocks while empty. Returns nothing when closed and drained.
  std::optional<T> Pop() MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      not_empty_.Wait(mutex_);
    }
    return TakeFirst();
  }

  std::optional<T> TryPop() MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return TakeFirst();
  }

  void Close() MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    closed_ = true;
    not_full_.NotifyAll();
    not_empty_.NotifyAll();
  }

  size_t size() MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  std::optional<T> TakeFirst() MR_REQUIRES(mutex_) {
    if (items_.empty()) {
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    not_full_.NotifyOne();
    return item;
  }

  const size_t capacity_;
  Mutex mutex_;
  CondVar not_full_;
  CondVar not_empty_;
  std::deque<T> items_ MR_GUARDED_BY(mutex_);
  bool closed_ MR_GUARDED_BY(mutex_) = false;
};

}  // namespace millrace
