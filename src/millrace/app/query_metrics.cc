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

SqlMetrics::SqlMetrics(MetricsRegistry& registry)
    : running(registry.AddGauge({"millrace_sql_query_running", "SQL queries that run.", ""})),
      rejected(registry.AddCounter({"millrace_sql_query_rejected_total",
                                    "SQL queries turned away because too many were there.", ""})),
      failed(registry.AddCounter(
          {"millrace_sql_query_failed_total", "SQL queries that ended with an error.", ""})),
      rows(registry.AddCounter(
          {"millrace_sql_query_rows_total", "Rows in answers to SQL queries.", ""})),
      seconds(registry.AddHistogram({"millrace_sql_query_seconds",
                                     "From the begin of an SQL query to its answer.", "seconds"},
                                    LatencyBounds())) {}

ReplayMetrics::ReplayMetrics(MetricsRegistry& registry)
    : in_flight(registry.AddGauge({"millrace_replay_in_flight", "Replays that wait or run.", ""})),
      rejected(registry.AddCounter(
          {"millrace_replay_rejected_total", "Replays turned away because too many waited.", ""})),
      failed(registry.AddCounter(
          {"millrace_replay_failed_total", "Replays that ended with an error.", ""})),
      accepted_records(
          registry.AddCounter({"millrace_replay_accepted_records_total",
                               "Refused records that got into their table by a replay.", ""})),
      refused_records(registry.AddCounter({"millrace_replay_refused_records_total",
                                           "Records that a replay has refused again.", ""})) {}

FeedMetrics::FeedMetrics(MetricsRegistry& registry)
    : open_feeds(registry.AddGauge({"millrace_feed_open", "Open change feeds.", ""})),
      rendered_bytes(registry.AddCounter(
          {"millrace_feed_rendered_bytes_total", "Bytes of events made for feeds.", "bytes"})),
      gaps(registry.AddCounter({"millrace_feed_gaps_total",
                                "Places of streams that feeds skipped, as no longer retained.",
                                ""})) {}

}  // namespace millrace
