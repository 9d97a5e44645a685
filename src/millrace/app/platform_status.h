#pragma once

#include "millrace/app/platform.h"
#include "millrace/serve/http_metrics.h"
#include "millrace/serve/status_service.h"

namespace millrace {

/// Health and metrics of the process.
class PlatformStatus final : public serve::StatusService {
 public:
  /// `platform` outlives it.
  explicit PlatformStatus(Platform& platform) : platform_(platform) {}

  /// The counters of the server, which is made from the routes, this one's among them; before it
  /// starts.
  void SetHttpMetrics(const serve::HttpMetrics& http) { http_ = &http; }

  serve::HealthReport Health() override;
  Status Ready() override;
  std::string Metrics() override;

 private:
  Platform& platform_;
  const serve::HttpMetrics* http_ = nullptr;
};

}  // namespace millrace
