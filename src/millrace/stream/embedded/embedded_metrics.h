#pragma once

#include "millrace/base/metrics.h"
#include "millrace/stream/frame_cache_metrics.h"

namespace millrace {

/// What the embedded transport counts; a default-constructed one counts nothing.
struct EmbeddedMetrics {
  EmbeddedMetrics() = default;
  explicit EmbeddedMetrics(MetricsRegistry& registry);

  Histogram round_seconds;
  Counter epochs;
  Counter committed_bytes;
  Counter direct_bytes;
  Gauge queued_epochs;
  Counter disk_full_waits;
  Counter copied_bytes;
  Counter removed_segments;
  FrameCacheMetrics cache;
};

}  // namespace millrace
