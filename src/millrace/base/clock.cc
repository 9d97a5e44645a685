#include "millrace/base/clock.h"

namespace millrace {

Micros SystemClock::WallMicros() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::chrono::nanoseconds SystemClock::Monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

void ManualClock::Advance(std::chrono::microseconds by) {
  wall_.fetch_add(by.count(), std::memory_order_relaxed);
  monotonic_.fetch_add(std::chrono::nanoseconds(by).count(), std::memory_order_relaxed);
}

}  // namespace millrace
