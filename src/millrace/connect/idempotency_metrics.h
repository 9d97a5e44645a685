#pragma once

#include "millrace/base/metrics.h"

namespace millrace {

/// What an IdempotencyStore counts; a default-constructed one counts nothing.
struct IdempotencyMetrics {
  IdempotencyMetrics() = default;
  explicit IdempotencyMetrics(MetricsRegistry& registry);

  Counter replays;
  Counter conflicts;
  Gauge keys;
};

}  // namespace millrace
