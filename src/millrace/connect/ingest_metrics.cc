#include "millrace/connect/ingest_metrics.h"

namespace millrace {

IngestMetrics::IngestMetrics(MetricsRegistry& registry, std::string_view table) {
  const MetricLabels labels{{"table", std::string(table)}};
  accepted = registry.AddCounter(
      {"millrace_ingest_accepted_records_total", "Records taken into the stream.", "records"},
      labels);
  refused = registry.AddCounter(
      {"millrace_ingest_refused_records_total", "Records that became error rows.", "records"},
      labels);
  lost = registry.AddCounter(
      {"millrace_ingest_lost_records_total",
       "Records lost because the table was full (on_full = 'drop').", "records"},
      labels);
  bytes = registry.AddCounter(
      {"millrace_ingest_bytes_total", "Bytes of what records were decoded from.", "bytes"}, labels);
  requests = registry.AddCounter(
      {"millrace_ingest_commits_total", "Requests and pieces of files that were taken whole.", ""},
      labels);
}

}  // namespace millrace
