#include "millrace/cli/metrics_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace millrace {

namespace {

double NumberAt(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

double MetricOf(std::string_view text, std::string_view name) {
  const std::string line = fmt::format("\n{} ", name);
  const size_t at = text.find(line);
  return at == std::string_view::npos ? 0 : NumberAt(text.substr(at + line.size()));
}

double SumOf(std::string_view text, std::string_view name) {
  const std::string series = fmt::format("\n{}{{", name);
  double sum = 0;
  for (size_t at = text.find(series); at != std::string_view::npos;
       at = text.find(series, at + 1)) {
    const std::string_view line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    sum += NumberAt(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

double QuantileOf(std::string_view text, std::string_view name, std::string_view labels, double q) {
  const double wanted = q * MetricOf(text, fmt::format("{}_count{{{}}}", name, labels));
  const std::string bucket = fmt::format("\n{}_bucket{{{},le=\"", name, labels);
  double lower_bound = 0;
  double lower_count = 0;
  for (size_t at = text.find(bucket); wanted > 0 && at != std::string_view::npos;
       at = text.find(bucket, at + 1)) {
    const std::string_view rest = text.substr(at + bucket.size());
    const std::string_view bound_text = rest.substr(0, rest.find('"'));
    const double count = NumberAt(rest.substr(std::min(rest.find(' ') + 1, rest.size())));
    if (count >= wanted) {
      const bool is_endless = bound_text == "+Inf";
      const double share = (wanted - lower_count) / (count - lower_count);
      return is_endless ? lower_bound : std::lerp(lower_bound, NumberAt(bound_text), share);
    }
    lower_bound = NumberAt(bound_text);
    lower_count = count;
  }
  return 0;
}

}  // namespace millrace
