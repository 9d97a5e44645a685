#pragma once

#include <atomic>
#include <cstddef>

namespace millrace {

/// The memory that the state of all pipelines together may take (design section 6, "Memory").
/// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(size_t limit) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;

  /// Says that who held `before` bytes holds `now`. Returns false when that has grown and they all
  /// are past the limit together.
  bool Change(size_t before, size_t now) {
    const size_t used = used_.fetch_add(now - before, std::memory_order_relaxed) + (now - before);
    return now <= before || used <= limit_;
  }

  size_t limit() const { return limit_; }

 private:
  const size_t limit_;
  std::atomic<size_t> used_{0};
};

}  // namespace millrace
