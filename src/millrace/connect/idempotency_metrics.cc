#include "millrace/connect/idempotency_metrics.h"

namespace millrace {

IdempotencyMetrics::IdempotencyMetrics(MetricsRegistry& registry)
    : replays(registry.AddCounter({"millrace_ingest_idempotency_replays_total",
                                   "Requests that were sent again and got the first answer again.",
                                   ""})),
      conflicts(registry.AddCounter(
          {"millrace_ingest_idempotency_conflicts_total",
           "Requests refused because their Idempotency-Key had come with another body.", ""})),
      keys(registry.AddGauge({"millrace_ingest_idempotency_keys",
                              "Idempotency keys that are remembered, with those in flight.", ""})) {
}

}  // namespace millrace
