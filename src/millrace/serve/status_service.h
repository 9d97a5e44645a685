#pragma once

#include <string>

#include "millrace/base/result.h"

namespace millrace::serve {

struct HealthReport {
  bool is_healthy;
  std::string json;  ///< Whole document.
};

/// How the process does. Implemented by the composition root; thread-safe; quick, never blocks.
class StatusService {
 public:
  virtual ~StatusService() = default;

  virtual HealthReport Health() = 0;
  /// Fails while recovering, stopping, or unable to commit.
  virtual Status Ready() = 0;
  /// All metrics in the text format of Prometheus.
  virtual std::string Metrics() = 0;
};

}  // namespace millrace::serve
