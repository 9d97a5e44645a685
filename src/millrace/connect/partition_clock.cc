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
  is_new_ = (partition == 0 || is_new_) && last == nullptr;
  if (last != nullptr && last->type == FrameType::kControl) {
    if (const auto control = ControlFrame::Decode(last->payload->bytes())) {
      state.idle = control->kind == ControlFrame::Kind::kIdle;
      state.ended = control->kind == ControlFrame::Kind::kEnd;
      watermark_ = std::max(watermark_, state.ended ? kMicrosMin : control->time);
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
  is_new_ = false;
  const std::optional<ControlFrame> control = Activate(partition);
  state.last_append = now;
  state.max_event_time = std::max(state.max_event_time, max);
  Advance();
  return control;
}

std::optional<ControlFrame> PartitionClock::Idle(size_t partition, std::chrono::nanoseconds timeout,
                                                 std::chrono::nanoseconds now) {
  if (now - partitions_[partition].last_append < timeout) {
    return std::nullopt;
  }
  return SetIdle(partition);
}

std::optional<ControlFrame> PartitionClock::IdleFromTheStart(std::chrono::nanoseconds timeout,
                                                             std::chrono::nanoseconds now) {
  if (!is_new_ || now - partitions_[0].last_append < timeout) {
    return std::nullopt;
  }
  is_new_ = false;
  return ControlFrame{.kind = ControlFrame::Kind::kIdle, .time = kMicrosMin};
}

std::optional<ControlFrame> PartitionClock::Activate(size_t partition) {
  Partition& state = partitions_[partition];
  if (!state.idle || state.ended) {
    return std::nullopt;
  }
  const ControlFrame control{.kind = ControlFrame::Kind::kActive, .time = watermark()};
  state.idle = false;
  is_new_ = false;
  state.max_event_time = std::max(state.max_event_time, EventTimeOf(control));
  return control;
}

std::optional<ControlFrame> PartitionClock::Raise(size_t partition, Micros max_event_time) {
  Partition& state = partitions_[partition];
  if (state.idle || state.ended || max_event_time <= state.max_event_time) {
    return std::nullopt;
  }
  state.max_event_time = max_event_time;
  Advance();
  return ControlFrame{.kind = ControlFrame::Kind::kWatermark, .time = max_event_time - delay_};
}

std::optional<ControlFrame> PartitionClock::SetIdle(size_t partition) {
  Partition& state = partitions_[partition];
  if (state.idle || state.ended) {
    return std::nullopt;
  }
  state.idle = true;
  return ControlFrame{.kind = ControlFrame::Kind::kIdle, .time = watermark()};
}

std::optional<ControlFrame> PartitionClock::End(size_t partition) {
  Partition& state = partitions_[partition];
  if (state.ended) {
    return std::nullopt;
  }
  state.ended = true;
  state.idle = false;
  is_new_ = false;
  Advance();
  return ControlFrame{.kind = ControlFrame::Kind::kEnd, .time = kMicrosMax};
}

Micros PartitionClock::InTimeFrom(size_t partition) {
  const Partition& state = partitions_[partition];
  const Micros own =
      state.max_event_time == kMicrosMin ? kMicrosMin : state.max_event_time - delay_;
  return state.idle ? std::max(own, watermark()) : own;
}

Micros PartitionClock::EventTimeOf(const ControlFrame& control) const {
  const bool none = control.time == kMicrosMin || control.kind == ControlFrame::Kind::kEnd;
  return none ? kMicrosMin : control.time + delay_;
}

void PartitionClock::Advance() {
  Micros minimum = kMicrosMax;
  Micros furthest = kMicrosMin;
  bool any_active = false;
  for (const Partition& partition : partitions_) {
    const Micros own =
        partition.max_event_time == kMicrosMin ? kMicrosMin : partition.max_event_time - delay_;
    furthest = std::max(furthest, own);
    if (!partition.idle && !partition.ended) {
      any_active = true;
      minimum = std::min(minimum, own);
    }
  }
  watermark_ = std::max(watermark_, any_active ? minimum : furthest);
}

}  // namespace millrace
