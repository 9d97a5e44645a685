#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/metrics.h"
#include "millrace/serve/router.h"

namespace millrace::serve {

/// Why a request or a connection was turned away before its handler ran.
enum class Rejection : uint8_t {
  kConnections,  ///< connections_max.
  kHead,         ///< Not valid or too large.
  kHost,
  kNotFound,  ///< No such route or method.
  kAuth,      ///< 401 and 403.
  kBody,      ///< Too large, not valid, of another encoding.
  kMemory,    ///< body_memory_bytes.
  kTimeout,
};
inline constexpr size_t kRejectionsCount = 8;

std::string_view NameOf(Rejection rejection);

/// The counters of one HTTP server. Updated once per request or event, by any thread; readers see
/// each counter by itself.
class HttpMetrics {
 public:
  /// Upper bounds of the latency buckets in microseconds; the last bucket has none.
  static constexpr std::array<uint32_t, 12> kLatencyBounds{
      100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 500'000, 2'500'000, 10'000'000};

  /// Of one route. The index is that of Router::routes, or their number for unrouted requests.
  struct RouteCounters {
    std::array<std::atomic<uint64_t>, 5> statuses{};  ///< 1xx to 5xx.
    std::array<std::atomic<uint64_t>, kLatencyBounds.size() + 1> latencies{};
    std::atomic<uint64_t> latency_micros{0};  ///< The sum.
  };

  explicit HttpMetrics(const Router& router);

  void CountRequest(size_t route, int status, std::chrono::nanoseconds latency);
  void CountRejection(Rejection rejection) { ++rejections[static_cast<size_t>(rejection)]; }

  /// For MetricsRegistry::AddCollector.
  static std::vector<MetricFamilyInfo> Families();
  void Collect(MetricsWriter& writer) const;

  std::atomic<uint64_t> connections_total{0};
  std::atomic<int64_t> connections{0};
  std::atomic<int64_t> requests_in_flight{0};
  std::atomic<uint64_t> received_bytes{0};
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<int64_t> event_streams{0};
  std::atomic<uint64_t> event_gaps{0};
  std::array<std::atomic<uint64_t>, kRejectionsCount> rejections{};

 private:
  void CollectRoute(size_t route, MetricsWriter& writer) const;

  std::vector<MetricLabels> route_labels_;
  std::vector<RouteCounters> routes_;
};

}  // namespace millrace::serve
