#include "millrace/serve/http_metrics.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace::serve {

std::string_view NameOf(Rejection rejection) {
  constexpr std::array<std::string_view, kRejectionsCount> kNames{
      "connections", "head", "host", "not_found", "auth", "body", "memory", "timeout"};
  return kNames[static_cast<size_t>(rejection)];
}

HttpMetrics::HttpMetrics(const Router& router) : routes_(router.routes().size() + 1) {
  for (const Route& route : router.routes()) {
    route_names_.push_back(
        fmt::format("method=\"{}\",route=\"{}\"", NameOf(route.method), route.path));
  }
  route_names_.emplace_back("method=\"\",route=\"\"");
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

std::string HttpMetrics::Render() const {
  std::string text;
  const auto out = std::back_inserter(text);
  const auto value = [&](std::string_view name, std::string_view kind, auto number) {
    fmt::format_to(out, "# TYPE millrace_http_{0} {1}\nmillrace_http_{0} {2}\n", name, kind,
                   number);
  };
  value("connections_total", "counter", connections_total.load());
  value("connections", "gauge", connections.load());
  value("requests_in_flight", "gauge", requests_in_flight.load());
  value("received_bytes_total", "counter", received_bytes.load());
  value("sent_bytes_total", "counter", sent_bytes.load());
  value("event_streams", "gauge", event_streams.load());
  value("event_gaps_total", "counter", event_gaps.load());
  text += "# TYPE millrace_http_rejected_total counter\n";
  for (size_t i = 0; i < kRejectionsCount; ++i) {
    fmt::format_to(out, "millrace_http_rejected_total{{reason=\"{}\"}} {}\n",
                   NameOf(static_cast<Rejection>(i)), rejections[i].load());
  }
  text += "# TYPE millrace_http_requests_total counter\n";
  for (size_t route = 0; route < routes_.size(); ++route) {
    for (size_t i = 0; i < routes_[route].statuses.size(); ++i) {
      if (const uint64_t count = routes_[route].statuses[i].load(); count > 0) {
        fmt::format_to(out, "millrace_http_requests_total{{{},status=\"{}xx\"}} {}\n",
                       route_names_[route], i + 1, count);
      }
    }
  }
  text += "# TYPE millrace_http_request_duration_seconds histogram\n";
  for (size_t route = 0; route < routes_.size(); ++route) {
    uint64_t count = 0;
    for (size_t i = 0; i < routes_[route].latencies.size(); ++i) {
      count += routes_[route].latencies[i].load();
      const std::string bound =
          i < kLatencyBounds.size() ? fmt::format("{}", kLatencyBounds[i] / 1e6) : "+Inf";
      fmt::format_to(out, "millrace_http_request_duration_seconds_bucket{{{},le=\"{}\"}} {}\n",
                     route_names_[route], bound, count);
    }
    fmt::format_to(out,
                   "millrace_http_request_duration_seconds_sum{{{0}}} {1}\n"
                   "millrace_http_request_duration_seconds_count{{{0}}} {2}\n",
                   route_names_[route],
                   static_cast<double>(routes_[route].latency_micros.load()) / 1e6, count);
  }
  return text;
}

}  // namespace millrace::serve
