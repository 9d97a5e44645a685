#pragma once

#include <atomic>
#include <chrono>

#include "millrace/base/ids.h"

namespace millrace {

/// The seam to time. Nothing else in Millrace reads a clock. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Wall-clock time, may jump; for idleness, retention and timestamps in logs.
  virtual Micros WallMicros() const = 0;
  /// Time that never goes back, in nanoseconds from an arbitrary start; for timeouts and latencies.
  virtual std::chrono::nanoseconds Monotonic() const = 0;
};

/// The operating system's clocks.
class SystemClock final : public Clock {
 public:
  Micros WallMicros() const override;
  std::chrono::nanoseconds Monotonic() const override;
};

/// A clock that moves only when told; for tests and simulation.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Micros wall = 0) : wall_(wall) {}

  Micros WallMicros() const override { return wall_.load(std::memory_order_relaxed); }
  std::chrono::nanoseconds Monotonic() const override {
    return std::chrono::nanoseconds(monotonic_.load(std::memory_order_relaxed));
  }
  /// Moves both clocks forward.
  void Advance(std::chrono::microseconds by);
  /// Sets the wall clock alone, also backwards.
  void SetWall(Micros wall) { wall_.store(wall, std::memory_order_relaxed); }

 private:
  std::atomic<Micros> wall_;
  std::atomic<int64_t> monotonic_{0};
};

}  // namespace millrace
