#pragma once

#include "millrace/base/metrics.h"

namespace millrace {

/// What a StreamTable counts of the frames it keeps in memory; a default-constructed one counts
/// nothing.
struct FrameCacheMetrics {
  FrameCacheMetrics() = default;
  explicit FrameCacheMetrics(MetricsRegistry& registry);

  Counter hits;
  Counter misses;
  Gauge bytes;
};

}  // namespace millrace
