#pragma once

#include <string_view>

#include "millrace/base/metrics.h"

namespace millrace {

/// What comes into the stream of one table; a default-constructed one counts nothing.
struct IngestMetrics {
  IngestMetrics() = default;
  IngestMetrics(MetricsRegistry& registry, std::string_view table);

  Counter accepted;
  Counter refused;
  Counter lost;
  Counter bytes;
  Counter requests;
};

}  // namespace millrace
