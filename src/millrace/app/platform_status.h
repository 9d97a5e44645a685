#pragma once

#include "millrace/app/platform.h"
#include "millrace/base/metrics.h"
#include "millrace/serve/status_service.h"

namespace millrace {

/// Health and metrics of the process.
class PlatformStatus final : public serve::StatusService {
 public:
  /// `platform` and `metrics` outlive it.
  PlatformStatus(Platform& platform, const MetricsRegistry& metrics)
      : platform_(platform), metrics_(metrics) {}

  serve::HealthReport Health() override;
  Status Ready() override;
  std::string Metrics() override { return metrics_.Render(); }

 private:
  Platform& platform_;
  const MetricsRegistry& metrics_;
};

}  // namespace millrace
