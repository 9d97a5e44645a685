#include "millrace/base/metrics.h"

#include <gtest/gtest.h>

#include "millrace/base/posix_file_system.h"
#include "millrace/base/process_metrics.h"

namespace millrace {
namespace {

TEST(Metrics, RendersPrometheusText) {
  MetricsRegistry metrics;
  const Counter rows =
      metrics.AddCounter({.name = "millrace_test_rows_total", .help = "Rows seen.", .unit = "rows"},
                         {{"stream", "clicks"}});
  rows.Add(3);
  metrics.AddGauge({.name = "millrace_test_queue_bytes", .help = "Queued.", .unit = "bytes"})
      .Set(7);
  metrics
      .AddHistogram({.name = "millrace_test_wait_seconds", .help = "Waits.", .unit = "seconds"},
                    {0.1, 1})
      .Observe(0.5);
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("# HELP millrace_test_rows_total Rows seen."), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE millrace_test_rows_total counter"), std::string::npos);
  EXPECT_NE(text.find("millrace_test_rows_total{stream=\"clicks\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("millrace_test_queue_bytes 7"), std::string::npos);
  EXPECT_NE(text.find("millrace_test_wait_seconds_bucket{le=\"1\"} 1"), std::string::npos) << text;
}

TEST(Metrics, GivesTheSameMetricForTheSameLabels) {
  MetricsRegistry metrics;
  const MetricSpec spec{.name = "millrace_test_things_total", .help = "Things.", .unit = ""};
  metrics.AddCounter(spec, {{"a", "1"}}).Add(2);
  metrics.AddCounter(spec, {{"a", "2"}}).Add(5);
  EXPECT_EQ(metrics.AddCounter(spec, {{"a", "1"}}).value(), 2);
  ASSERT_EQ(metrics.Families().size(), 1U);
  EXPECT_EQ(metrics.Families()[0].spec.help, "Things.");
}

TEST(Metrics, AsksCollectorsUntilTheyAreGone) {
  MetricsRegistry metrics;
  int asked = 0;
  {
    const auto registration = metrics.AddCollector(
        {{{.name = "millrace_test_rows_total", .help = "Rows seen.", .unit = "rows"},
          MetricFamilyInfo::Kind::kCounter},
         {{.name = "millrace_test_wait_seconds", .help = "Waits.", .unit = "seconds"},
          MetricFamilyInfo::Kind::kHistogram}},
        [&](MetricsWriter& writer) {
          ++asked;
          writer.Value("millrace_test_rows_total", {{"view", "v"}}, 12);
          const double bounds[] = {0.1, 1};
          const uint64_t counts[] = {3, 2, 1};
          writer.Distribution("millrace_test_wait_seconds", {}, bounds, counts, 4.5);
        });
    metrics.AddGauge({.name = "millrace_test_queue_bytes", .help = "Queued.", .unit = "bytes"});
    EXPECT_EQ(metrics.Render(),
              "# HELP millrace_test_queue_bytes Queued.\n"
              "# TYPE millrace_test_queue_bytes gauge\n"
              "millrace_test_queue_bytes 0\n"
              "# HELP millrace_test_rows_total Rows seen.\n"
              "# TYPE millrace_test_rows_total counter\n"
              "millrace_test_rows_total{view=\"v\"} 12\n"
              "# HELP millrace_test_wait_seconds Waits.\n"
              "# TYPE millrace_test_wait_seconds histogram\n"
              "millrace_test_wait_seconds_count 6\n"
              "millrace_test_wait_seconds_sum 4.5\n"
              "millrace_test_wait_seconds_bucket{le=\"0.1\"} 3\n"
              "millrace_test_wait_seconds_bucket{le=\"1\"} 5\n"
              "millrace_test_wait_seconds_bucket{le=\"+Inf\"} 6\n");
    EXPECT_EQ(metrics.Families().size(), 3U);
  }
  EXPECT_EQ(metrics.Render().find("rows_total"), std::string::npos);
  EXPECT_EQ(metrics.Families().size(), 1U);
  EXPECT_EQ(asked, 1);
}

TEST(Metrics, DefaultHandlesCountNothing) {
  Counter().Add();
  Gauge().Set(1);
  Histogram().Observe(1);
  EXPECT_EQ(Counter().value(), 0);
}

TEST(Metrics, DescribeTheProcess) {
  MetricsRegistry metrics;
  PosixFileSystem files;
  const SystemClock clock;
  const ProcessMetrics process(files, clock);
  const auto registration = metrics.AddCollector(
      ProcessMetrics::Families(), [&](MetricsWriter& writer) { process.Collect(writer); });
  const std::string text = metrics.Render();
  for (const MetricFamilyInfo& family : ProcessMetrics::Families()) {
    EXPECT_NE(text.find("\n" + family.spec.name + " "), std::string::npos) << text;
  }
}

TEST(MetricsDeathTest, RefusesNamesAgainstTheRules) {
  MetricsRegistry metrics;
  EXPECT_DEATH(metrics.AddCounter({.name = "millrace_x_rows", .help = "h", .unit = "rows"}),
               "metric");
  EXPECT_DEATH(metrics.AddGauge({.name = "x_bytes", .help = "h", .unit = "bytes"}), "metric");
  EXPECT_DEATH(metrics.AddGauge({.name = "millrace_x", .help = "h", .unit = "bytes"}), "metric");
  EXPECT_DEATH(metrics.AddGauge({.name = "millrace_x_bytes", .help = "", .unit = "bytes"}),
               "metric");
}

}  // namespace
}  // namespace millrace
