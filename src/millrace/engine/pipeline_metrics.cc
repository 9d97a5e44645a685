#include "millrace/engine/pipeline_metrics.h"

#include <array>

#include "millrace/engine/pipeline_runner.h"

namespace millrace {

namespace {

using Kind = MetricFamilyInfo::Kind;
using Count = std::atomic<uint64_t> PipelineStats::*;

struct StatMetric {
  std::string_view name;
  std::string_view help;
  std::string_view unit;
  Kind kind;
  Count count;
};

constexpr std::array kStatMetrics{
    StatMetric{"millrace_view_epochs_total", "Epochs that were sealed.", "", Kind::kCounter,
               &PipelineStats::epochs},
    StatMetric{"millrace_view_in_rows_total", "Rows read from the source stream.", "rows",
               Kind::kCounter, &PipelineStats::rows_in},
    StatMetric{"millrace_view_accepted_rows_total", "Rows that took part in the result.", "rows",
               Kind::kCounter, &PipelineStats::rows_accepted},
    StatMetric{"millrace_view_filtered_rows_total", "Rows that WHERE left out.", "rows",
               Kind::kCounter, &PipelineStats::rows_filtered},
    StatMetric{"millrace_view_late_rows_total", "Rows behind their window's grace.", "rows",
               Kind::kCounter, &PipelineStats::rows_late},
    StatMetric{"millrace_view_failed_rows_total", "Rows on which an expression failed.", "rows",
               Kind::kCounter, &PipelineStats::rows_failed},
    StatMetric{"millrace_view_out_rows_total", "Changes written to the view's stream.", "rows",
               Kind::kCounter, &PipelineStats::rows_out},
    StatMetric{"millrace_view_state_keys", "Groups in state.", "", Kind::kGauge,
               &PipelineStats::state_keys},
    StatMetric{"millrace_view_state_bytes", "Memory of the state.", "bytes", Kind::kGauge,
               &PipelineStats::state_bytes},
};

constexpr std::string_view kWatermark = "millrace_view_watermark_seconds";
constexpr std::string_view kCommit = "millrace_view_commit_seconds";

}  // namespace

std::vector<MetricFamilyInfo> PipelineMetricFamilies() {
  std::vector<MetricFamilyInfo> families;
  families.reserve(kStatMetrics.size());
  for (const StatMetric& metric : kStatMetrics) {
    families.push_back(
        {{std::string(metric.name), std::string(metric.help), std::string(metric.unit)},
         metric.kind});
  }
  families.push_back({{std::string(kWatermark),
                       "Event time up to which no more rows are expected, since 1970; none before "
                       "the first row.",
                       "seconds"},
                      Kind::kGauge});
  return families;
}

void CollectPipelineMetrics(const PipelineStats& stats, const MetricLabels& labels,
                            MetricsWriter& writer) {
  for (const StatMetric& metric : kStatMetrics) {
    writer.Value(metric.name, labels,
                 static_cast<double>((stats.*metric.count).load(std::memory_order_relaxed)));
  }
  const Micros watermark = stats.watermark.load(std::memory_order_relaxed);
  if (watermark != kMicrosMin && watermark != kMicrosMax) {
    writer.Value(kWatermark, labels, static_cast<double>(watermark) / 1e6);
  }
}

PipelineMetrics::PipelineMetrics(MetricsRegistry& registry, std::string_view view)
    : commit_seconds(registry.AddHistogram(
          {std::string(kCommit), "From the seal of an epoch to its rows being served.", "seconds"},
          LatencyBounds(), {{"view", std::string(view)}})) {}

}  // namespace millrace
