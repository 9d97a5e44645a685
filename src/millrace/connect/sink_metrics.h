#pragma once

#include <string_view>

#include "millrace/base/metrics.h"

namespace millrace {

/// What goes out of the stream of one table; a default-constructed one counts nothing.
struct SinkMetrics {
  SinkMetrics() = default;
  SinkMetrics(MetricsRegistry& registry, std::string_view table);

  Counter rows;
  Counter flushes;
  Counter failures;
  Histogram flush_seconds;
  Gauge rows_behind;
};

}  // namespace millrace
