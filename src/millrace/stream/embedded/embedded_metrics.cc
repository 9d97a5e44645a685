#include "millrace/stream/embedded/embedded_metrics.h"

namespace millrace {

EmbeddedMetrics::EmbeddedMetrics(MetricsRegistry& registry)
    : round_seconds(registry.AddHistogram(
          {"millrace_stream_round_seconds", "Time to write and sync one round.", "seconds"},
          LatencyBounds())),
      epochs(registry.AddCounter(
          {"millrace_stream_epochs_total", "Epochs that rounds made durable.", ""})),
      committed_bytes(registry.AddCounter({"millrace_stream_committed_bytes_total",
                                           "Bytes of frames that became durable.", "bytes"})),
      direct_bytes(registry.AddCounter({"millrace_stream_direct_bytes_total",
                                        "Those of them that went to segments at once.", "bytes"})),
      queued_epochs(registry.AddGauge(
          {"millrace_stream_queued_epochs", "Epochs that wait for the next round.", ""})),
      disk_full_waits(
          registry.AddCounter({"millrace_stream_disk_full_waits_total",
                               "Times a round found no space and was tried again.", ""})),
      copied_bytes(registry.AddCounter({"millrace_stream_copied_bytes_total",
                                        "Bytes moved from journal files to segments.", "bytes"})),
      removed_segments(registry.AddCounter({"millrace_stream_removed_segments_total",
                                            "Segments removed because nothing in them can be read "
                                            "any more.",
                                            ""})),
      cache(registry) {}

}  // namespace millrace
