#include "millrace/app/query_metrics.h"

namespace millrace {

QueryMetrics::QueryMetrics(MetricsRegistry& registry)
    : in_flight(registry.AddGauge({"millrace_query_in_flight",
                                   "Queries that wait, for a thread or a position, or run.", ""})),
      rejected(registry.AddCounter(
          {"millrace_query_rejected_total", "Queries turned away because too many waited.", ""})),
      seconds(registry.AddHistogram(
          {"millrace_query_seconds", "From a query's turn in the queue to its answer.", "seconds"},
          LatencyBounds())) {}

FeedMetrics::FeedMetrics(MetricsRegistry& registry)
    : open_feeds(registry.AddGauge({"millrace_feed_open", "Open change feeds.", ""})),
      rendered_bytes(registry.AddCounter(
          {"millrace_feed_rendered_bytes_total", "Bytes of events made for feeds.", "bytes"})),
      gaps(registry.AddCounter({"millrace_feed_gaps_total",
                                "Places of streams that feeds skipped, as no longer retained.",
                                ""})) {}

}  // namespace millrace
