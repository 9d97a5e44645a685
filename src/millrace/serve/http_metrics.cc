#include "millrace/serve/http_metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

constexpr std::string_view kConnectionsTotal = "millrace_http_connections_total";
constexpr std::string_view kConnections = "millrace_http_connections";
constexpr std::string_view kInFlight = "millrace_http_requests_in_flight";
constexpr std::string_view kReceived = "millrace_http_received_bytes_total";
constexpr std::string_view kSent = "millrace_http_sent_bytes_total";
constexpr std::string_view kEventStreams = "millrace_http_event_streams";
constexpr std::string_view kEventGaps = "millrace_http_event_gaps_total";
constexpr std::string_view kRejected = "millrace_http_rejected_total";
constexpr std::string_view kRequests = "millrace_http_requests_total";
constexpr std::string_view kDuration = "millrace_http_request_duration_seconds";

}  // namespace

std::string_view NameOf(Rejection rejection) {
  constexpr std::array<std::string_view, kRejectionsCount> kNames{
      "connections", "head", "host", "not_found", "auth", "body", "memory", "timeout"};
  return kNames[static_cast<size_t>(rejection)];
}

HttpMetrics::HttpMetrics(const Router& router) : routes_(router.routes().size() + 1) {
  for (const Route& route : router.routes()) {
    route_labels_.push_back({{"method", std::string(NameOf(route.method))}, {"route", route.path}});
  }
  route_labels_.push_back({{"method", ""}, {"route", ""}});
}

void HttpMetrics::CountRequest(size_t route, int status, std::chrono::nanoseconds latency) {
  RouteCounters& counters = routes_[route];
  const size_t status_class = static_cast<size_t>(std::clamp(status / 100, 1, 5)) - 1;
  const auto micros = static_cast<uint64_t>(latency.count() / 1000);
  const auto bucket = std::ranges::lower_bound(kLatencyBounds, micros) - kLatencyBounds.begin();
  counters.statuses[status_class].fetch_add(1, std::memory_order_relaxed);
  counters.latencies[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  counters.latency_micros.fetch_add(micros, std::memory_order_relaxed);
}

std::vector<MetricFamilyInfo> HttpMetrics::Families() {
  using Kind = MetricFamilyInfo::Kind;
  const auto family = [](std::string_view name, std::string_view help, std::string_view unit,
                         Kind kind) {
    return MetricFamilyInfo{{std::string(name), std::string(help), std::string(unit)}, kind};
  };
  return {
      family(kConnectionsTotal, "Connections that were accepted.", "", Kind::kCounter),
      family(kConnections, "Open connections.", "", Kind::kGauge),
      family(kInFlight, "Requests that are not answered yet.", "", Kind::kGauge),
      family(kReceived, "Bytes received.", "bytes", Kind::kCounter),
      family(kSent, "Bytes sent.", "bytes", Kind::kCounter),
      family(kEventStreams, "Open event streams.", "", Kind::kGauge),
      family(kEventGaps, "Gaps in event streams: what a client asked for was not retained.", "",
             Kind::kCounter),
      family(kRejected, "Requests and connections turned away before their handler ran.", "",
             Kind::kCounter),
      family(kRequests, "Answered requests by route and class of status.", "", Kind::kCounter),
      family(kDuration, "From the head of a request to the end of its answer.", "seconds",
             Kind::kHistogram),
  };
}

void HttpMetrics::Collect(MetricsWriter& writer) const {
  const auto value = [&](std::string_view name, const auto& number) {
    writer.Value(name, {}, static_cast<double>(number.load()));
  };
  value(kConnectionsTotal, connections_total);
  value(kConnections, connections);
  value(kInFlight, requests_in_flight);
  value(kReceived, received_bytes);
  value(kSent, sent_bytes);
  value(kEventStreams, event_streams);
  value(kEventGaps, event_gaps);
  for (size_t i = 0; i < kRejectionsCount; ++i) {
    writer.Value(kRejected, {{"reason", std::string(NameOf(static_cast<Rejection>(i)))}},
                 static_cast<double>(rejections[i].load()));
  }
  for (size_t route = 0; route < routes_.size(); ++route) {
    CollectRoute(route, writer);
  }
}

void HttpMetrics::CollectRoute(size_t route, MetricsWriter& writer) const {
  const RouteCounters& counters = routes_[route];
  for (size_t i = 0; i < counters.statuses.size(); ++i) {
    if (const uint64_t count = counters.statuses[i].load(); count > 0) {
      MetricLabels labels = route_labels_[route];
      labels["status"] = fmt::format("{}xx", i + 1);
      writer.Value(kRequests, labels, static_cast<double>(count));
    }
  }
  std::array<double, kLatencyBounds.size()> bounds{};
  std::ranges::transform(kLatencyBounds, bounds.begin(),
                         [](uint32_t micros) { return static_cast<double>(micros) / 1e6; });
  std::array<uint64_t, kLatencyBounds.size() + 1> counts{};
  std::ranges::transform(counters.latencies, counts.begin(),
                         [](const auto& count) { return count.load(); });
  writer.Distribution(kDuration, route_labels_[route], bounds, counts,
                      static_cast<double>(counters.latency_micros.load()) / 1e6);
}

}  // namespace millrace::serve
