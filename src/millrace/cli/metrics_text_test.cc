#include "millrace/cli/metrics_text.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kText =
    "# TYPE a counter\n"
    "a_total 12.5\n"
    "# TYPE h histogram\n"
    "h_count{view=\"x\"} 10\n"
    "h_bucket{view=\"x\",le=\"0.1\"} 4\n"
    "h_bucket{view=\"x\",le=\"0.2\"} 8\n"
    "h_bucket{view=\"x\",le=\"+Inf\"} 10\n"
    "h_count{view=\"y\"} 0\n"
    "h_bucket{view=\"y\",le=\"0.1\"} 0\n"
    "h_bucket{view=\"y\",le=\"+Inf\"} 0\n"
    "# EOF\n";

TEST(MetricsText, FindsASeries) {
  EXPECT_EQ(MetricOf(kText, "a_total"), 12.5);
  EXPECT_EQ(MetricOf(kText, "h_count{view=\"x\"}"), 10);
  EXPECT_EQ(MetricOf(kText, "a"), 0);
  EXPECT_EQ(MetricOf("", "a"), 0);
}

TEST(MetricsText, SumsOverLabels) {
  EXPECT_EQ(SumOf(kText, "h_count"), 10);
  EXPECT_EQ(SumOf(kText, "h_bucket"), 22);
  EXPECT_EQ(SumOf(kText, "nothing"), 0);
}

TEST(MetricsText, InterpolatesQuantiles) {
  EXPECT_DOUBLE_EQ(QuantileOf(kText, "h", "view=\"x\"", 0.2), 0.05);
  EXPECT_DOUBLE_EQ(QuantileOf(kText, "h", "view=\"x\"", 0.5), 0.125);
  EXPECT_DOUBLE_EQ(QuantileOf(kText, "h", "view=\"x\"", 0.8), 0.2);
  EXPECT_DOUBLE_EQ(QuantileOf(kText, "h", "view=\"x\"", 0.99), 0.2) << "the last finite bound";
  EXPECT_EQ(QuantileOf(kText, "h", "view=\"y\"", 0.5), 0);
  EXPECT_EQ(QuantileOf(kText, "h", "view=\"z\"", 0.5), 0);
}

}  // namespace
}  // namespace millrace
