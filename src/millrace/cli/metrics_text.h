#pragma once

#include <string_view>

namespace millrace {

/// The value of one series in OpenMetrics text: `name` with its labels, as they stand there. 0 when
/// it is not there.
double MetricOf(std::string_view text, std::string_view name);

/// The sum over all labels.
double SumOf(std::string_view text, std::string_view name);

/// The quantile `q` of 0 to 1 of a histogram, of which all series have exactly `labels`, such as
/// `view="a"`: linear within its bucket, as Prometheus's histogram_quantile. 0 without
/// observations.
double QuantileOf(std::string_view text, std::string_view name, std::string_view labels, double q);

}  // namespace millrace
