#include "millrace/connect/partition_clock.h"

#include <algorithm>

namespace millrace {

PartitionClock::PartitionClock(size_t partitions, Micros watermark_delay)
    : delay_(watermark_delay), partitions_(partitions) {}

void PartitionClock::Restore(size_t partition, const PartitionInfo& info, const StreamFrame* last,
                             std::chrono::nanoseconds now) {
  Partition& state = partitions_[partition];
  state.last_append = now;
  state.max_event_time = info.max_event_time;
  state.idle = last == nullptr;
  if (last != nullptr && last->type == FrameType::kControl) {
    if (const auto control = ControlFrame::Decode(last->payload->bytes())) {
      state.idle = control->kind == ControlFrame::Kind::kIdle;
      watermark_ = std::max(watermark_, control->time);
    }
  }
}

Micros PartitionClock::watermark() {
  // Here and not in Restore: what is restored first must not run ahead of what is not yet.
  Advance();
  return watermark_;
}

std::optional<ControlFrame> PartitionClock::Append(size_t partition, Micros max,
                                                   std::chrono::nanoseconds now) {
  Partition& state = partitions_[partition];
  std::optional<ControlFrame> control;
  if (state.idle) {
    control = ControlFrame{.kind = ControlFrame::Kind::kActive, .time = watermark()};
    state.max_event_time = std::max(state.max_event_time, EventTimeOf(*control));
    state.idle = false;
  }
  state.last_append = now;
  state.max_event_time = std::max(state.max_event_time, max);
  Advance();
  return control;
}

std::optional<ControlFrame> PartitionClock::Idle(size_t partition, std::chrono::nanoseconds timeout,
                                                 std::chrono::nanoseconds now) {
  Partition& state = partitions_[partition];
  if (state.idle || now - state.last_append < timeout) {
    return std::nullopt;
  }
  state.idle = true;
  return ControlFrame{.kind = ControlFrame::Kind::kIdle, .time = watermark()};
}

Micros PartitionClock::EventTimeOf(const ControlFrame& control) const {
  return control.time == kMicrosMin ? kMicrosMin : control.time + delay_;
}

void PartitionClock::Advance() {
  Micros minimum = kMicrosMax;
  Micros furthest = kMicrosMin;
  bool any_active = false;
  for (const Partition& partition : partitions_) {
    const Micros own =
        partition.max_event_time == kMicrosMin ? kMicrosMin : partition.max_event_time - delay_;
    furthest = std::max(furthest, own);
    if (!partition.idle) {
      any_active = true;
      minimum = std::min(minimum, own);
    }
  }
  watermark_ = std::max(watermark_, any_active ? minimum : furthest);
}

}  // namespace millrace
