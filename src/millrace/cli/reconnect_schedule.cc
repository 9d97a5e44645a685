#include "millrace/cli/reconnect_schedule.h"

#include <algorithm>

namespace millrace {

std::optional<std::chrono::nanoseconds> ReconnectSchedule::NextDelay() {
  const auto now = clock_.Monotonic();
  delay_ = away_since_ ? std::min<std::chrono::nanoseconds>(delay_ * 2, kDelayMax) : kFirstDelay;
  away_since_ = away_since_.value_or(now);
  const auto left = *away_since_ + patience_ - now;
  return left > std::chrono::nanoseconds(0) ? std::optional(std::min(delay_, left)) : std::nullopt;
}

}  // namespace millrace
