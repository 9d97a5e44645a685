#include "millrace/connect/sink_metrics.h"

namespace millrace {

SinkMetrics::SinkMetrics(MetricsRegistry& registry, std::string_view table) {
  const MetricLabels labels{{"table", std::string(table)}};
  rows = registry.AddCounter(
      {"millrace_sink_flushed_rows_total", "Rows that are in the sink's target for good.", "rows"},
      labels);
  flushes = registry.AddCounter({"millrace_sink_flushes_total",
                                 "Times that rows and position became final in the target.", ""},
                                labels);
  failures = registry.AddCounter(
      {"millrace_sink_failures_total", "Times that the target failed and was opened again.", ""},
      labels);
  flush_seconds = registry.AddHistogram(
      {"millrace_sink_flush_seconds", "Time that such a step takes in the target.", "seconds"},
      LatencyBounds(), labels);
  rows_behind =
      registry.AddGauge({"millrace_sink_behind_rows",
                         "Durable rows of the stream that are not in the target yet.", "rows"},
                        labels);
}

}  // namespace millrace
