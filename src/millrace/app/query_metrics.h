#pragma once

#include "millrace/base/metrics.h"

namespace millrace {

/// What queries and change feeds count; a default-constructed one counts nothing.
struct QueryMetrics {
  QueryMetrics() = default;
  explicit QueryMetrics(MetricsRegistry& registry);

  Gauge in_flight;
  Counter rejected;
  Histogram seconds;
};

/// Of SQL queries.
struct SqlMetrics {
  SqlMetrics() = default;
  explicit SqlMetrics(MetricsRegistry& registry);

  Gauge running;
  Counter rejected;
  Counter failed;
  Counter rows;
  Histogram seconds;
};

/// Of requests to feed refused records back, and their records.
struct ReplayMetrics {
  ReplayMetrics() = default;
  explicit ReplayMetrics(MetricsRegistry& registry);

  Gauge in_flight;
  Counter rejected;
  Counter failed;
  Counter accepted_records;
  Counter refused_records;
};

struct FeedMetrics {
  FeedMetrics() = default;
  explicit FeedMetrics(MetricsRegistry& registry);

  Gauge open_feeds;
  Counter rendered_bytes;
  Counter gaps;
};

}  // namespace millrace
