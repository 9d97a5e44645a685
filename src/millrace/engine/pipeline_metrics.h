#pragma once

#include <vector>

#include "millrace/base/metrics.h"

namespace millrace {

struct PipelineStats;

/// What pipelines count of themselves.
std::vector<MetricFamilyInfo> PipelineMetricFamilies();

/// Writes the values of the pipeline that `labels` name.
void CollectPipelineMetrics(const PipelineStats& stats, const MetricLabels& labels,
                            MetricsWriter& writer);

/// Counted by each pipeline as it goes; a default-constructed one counts nothing.
struct PipelineMetrics {
  PipelineMetrics() = default;
  PipelineMetrics(MetricsRegistry& registry, std::string_view view);

  Histogram commit_seconds;
};

}  // namespace millrace
