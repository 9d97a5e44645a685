#include "millrace/stream/frame_cache_metrics.h"

namespace millrace {

FrameCacheMetrics::FrameCacheMetrics(MetricsRegistry& registry)
    : hits(registry.AddCounter(
          {"millrace_stream_cache_hits_total", "Frames that readers found in memory.", ""})),
      misses(registry.AddCounter({"millrace_stream_cache_misses_total",
                                  "Frames that readers had to fetch from disk.", ""})),
      bytes(registry.AddGauge({"millrace_stream_cache_bytes",
                               "Frames in memory: those that are not durable yet, and "
                               "storage.cache_bytes_max of streams that have a reader.",
                               "bytes"})) {}

}  // namespace millrace
