#include "millrace/connect/file/split_watermarks.h"

#include <algorithm>

namespace millrace {

using Kind = ControlFrame::Kind;

Micros SplitWatermarks::Limit(const FileSplit& split) const {
  Micros limit = kMicrosMax;
  for (const auto& other : splits_) {
    if (other.get() != &split && other->holds() && GoesTo(*other, split.position.partition)) {
      limit = std::min(limit, other->position.max_event_time);
    }
  }
  return limit;
}

bool SplitWatermarks::AnyHolds(uint32_t partition) const {
  return std::ranges::any_of(
      splits_, [&](const auto& split) { return split->holds() && GoesTo(*split, partition); });
}

SplitWatermarks::Changes SplitWatermarks::Activations() const {
  Changes changes;
  for (uint32_t p = 0; p < partitions_; ++p) {
    if (AnyHolds(p)) {
      changes.push_back({.partition = PartitionId(p), .kind = Kind::kActive});
    }
  }
  return changes;
}

Micros SplitWatermarks::Promise(uint32_t partition) const {
  Micros held = kMicrosMax;
  Micros largest = kMicrosMin;
  for (const auto& split : splits_) {
    if (GoesTo(*split, partition)) {
      largest = std::max(largest, split->position.max_event_time);
      held = split->holds() ? std::min(held, split->position.max_event_time) : held;
    }
  }
  return std::min(held, largest);
}

SplitWatermarks::Changes SplitWatermarks::Raises() const {
  Changes changes;
  for (uint32_t p = 0; p < partitions_; ++p) {
    const Micros promise = Promise(p);
    if (promise != kMicrosMin) {
      changes.push_back(
          {.partition = PartitionId(p), .kind = Kind::kWatermark, .max_event_time = promise});
    }
  }
  return changes;
}

SplitWatermarks::Changes SplitWatermarks::Idles() const {
  Changes changes;
  for (uint32_t p = 0; p < partitions_; ++p) {
    if (!AnyHolds(p)) {
      changes.push_back({.partition = PartitionId(p), .kind = Kind::kIdle});
    }
  }
  return changes;
}

SplitWatermarks::Changes SplitWatermarks::Ends() const {
  Changes changes;
  for (uint32_t p = 0; p < partitions_; ++p) {
    changes.push_back({.partition = PartitionId(p), .kind = Kind::kEnd});
  }
  return changes;
}

}  // namespace millrace
