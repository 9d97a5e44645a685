#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace millrace {

/// How fast a count goes up, over about the last ten seconds.
class RateMeter {
 public:
  static constexpr std::chrono::seconds kWindow{10};

  /// Notes the count at a monotonic time; call about once a second.
  void Note(std::chrono::nanoseconds now, uint64_t count);
  /// Per second; 0 before the second note.
  double PerSecond() const;

 private:
  struct Sample {
    std::chrono::nanoseconds time;
    uint64_t count;
  };
  std::deque<Sample> samples_;  // Oldest first; the first is at most kWindow before the last.
};

}  // namespace millrace
