#include "millrace/app/rate_meter.h"

namespace millrace {

void RateMeter::Note(std::chrono::nanoseconds now, uint64_t count) {
  samples_.push_back({now, count});
  while (samples_.front().time < now - kWindow) {
    samples_.pop_front();
  }
}

double RateMeter::PerSecond() const {
  if (samples_.size() < 2) {
    return 0;
  }
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  const double seconds = std::chrono::duration<double>(last.time - first.time).count();
  return seconds <= 0 || last.count < first.count
             ? 0
             : static_cast<double>(last.count - first.count) / seconds;
}

}  // namespace millrace
