#pragma once

#include <chrono>
#include <optional>

#include "millrace/base/clock.h"

namespace millrace {

/// When to try again to reach a server that went away: after 0.1 s, then after twice as long each
/// time, at most 5 s, until it has been away for `patience`. One thread.
class ReconnectSchedule {
 public:
  static constexpr std::chrono::milliseconds kFirstDelay{100};
  static constexpr std::chrono::milliseconds kDelayMax{5'000};

  ReconnectSchedule(const Clock& clock, std::chrono::nanoseconds patience)
      : clock_(clock), patience_(patience) {}

  /// A try has failed, or the connection has ended. Returns how long to wait before the next try;
  /// nothing when the patience is at its end.
  std::optional<std::chrono::nanoseconds> NextDelay();

  /// The server has answered: the next failure is the first again.
  void Answered() { away_since_.reset(); }

  bool is_away() const { return away_since_.has_value(); }

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds patience_;
  std::optional<std::chrono::nanoseconds> away_since_;
  std::chrono::nanoseconds delay_{0};
};

}  // namespace millrace
