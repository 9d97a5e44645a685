// A join as of a time over random versions and rows, out of order within the watermark's delay,
// beside what a search through all of them finds.

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_testing.h"
#include "millrace/base/rng.h"
#include "millrace/data/text_format.h"

namespace millrace {
namespace {

constexpr Micros kBegin = 1'767'225'600'000'000;  // 2026-01-01
constexpr int kKeys = 20;

constexpr std::string_view kSql =
    "CREATE TABLE rates (key bigint PRIMARY KEY, rate bigint, gone boolean, at timestamptz)\n"
    "  WITH (connector = 'http', event_time = 'at', delete_when = 'gone', partitions = 4,\n"
    "        watermark_delay = '20 seconds');\n"
    "CREATE TABLE orders (id bigint, key bigint, at timestamptz)\n"
    "  WITH (connector = 'http', event_time = 'at', partitions = 1,\n"
    "        watermark_delay = '20 seconds');\n"
    "CREATE MATERIALIZED VIEW rated AS SELECT o.id, r.rate\n"
    "  FROM orders o LEFT JOIN as_of(rates, o.at) r ON o.key = r.key;\n";

class AsOfJoinTest : public PlatformFixture, public ::testing::WithParamInterface<uint64_t> {
 protected:
  void Send(const std::string& table, const std::string& body) {
    const auto posted = Post(body, {}, table);
    ASSERT_TRUE(posted) << posted.error().ToString();
    ASSERT_EQ(posted->errors_count, 0);
    position_ = posted->position;
  }

  void SendRates(Micros base, size_t count) {
    std::string body;
    for (size_t i = 0; i < count; ++i) {
      const auto key = static_cast<int64_t>(rng_.Below(kKeys));
      const auto rate = static_cast<int64_t>(rng_.Below(1'000'000));
      const bool is_gone = rng_.Below(10) == 0;
      const Micros at = TimeAround(base);
      // Of two at the same time the later record counts.
      rates_[key][at] = is_gone ? std::nullopt : std::optional(rate);
      fmt::format_to(std::back_inserter(body),
                     "{{\"key\":{},\"rate\":{},\"gone\":{},\"at\":\"{}\"}}\n", key, rate, is_gone,
                     FormatTimestamptz(at));
    }
    Send("rates", body);
  }

  void SendOrders(Micros base, size_t count) {
    std::string body;
    for (size_t i = 0; i < count; ++i) {
      const auto key = static_cast<int64_t>(rng_.Below(kKeys));
      const Micros at = TimeAround(base);
      expected_at_[orders_] = {key, at};
      fmt::format_to(std::back_inserter(body), "{{\"id\":{},\"key\":{},\"at\":\"{}\"}}\n",
                     orders_++, key, FormatTimestamptz(at));
    }
    Send("orders", body);
  }

  /// Moves the watermarks of all partitions past all that has come.
  void SendEnd(Micros at) {
    std::string rates;
    for (int key = 0; key < 100; ++key) {
      fmt::format_to(std::back_inserter(rates), "{{\"key\":{},\"rate\":0,\"at\":\"{}\"}}\n",
                     1000 + key, FormatTimestamptz(at));
    }
    Send("rates", rates);
    Send("orders", fmt::format("{{\"id\":-1,\"key\":-1,\"at\":\"{}\"}}\n", FormatTimestamptz(at)));
  }

  std::string Expected() const {
    std::string rows;
    for (const auto& [id, order] : expected_at_) {
      std::optional<int64_t> rate;
      if (const auto versions = rates_.find(order.first); versions != rates_.end()) {
        const auto later = versions->second.upper_bound(order.second);
        rate = later == versions->second.begin() ? std::nullopt : std::prev(later)->second;
      }
      rows += fmt::format("{}{{\"id\":{},\"rate\":{}}}", rows.empty() ? "" : ",", id,
                          rate ? fmt::format("{}", *rate) : "null");
    }
    return rows;
  }

  Micros TimeAround(Micros base) {
    return base + (static_cast<Micros>(rng_.Below(180)) - 80) * 100'000;
  }

  Rng rng_{GetParam()};
  std::map<int64_t, std::map<Micros, std::optional<int64_t>>> rates_;
  std::map<int64_t, std::pair<int64_t, Micros>> expected_at_;
  int64_t orders_ = 0;
  std::string position_;
};

TEST_P(AsOfJoinTest, GivesEachRowTheVersionOfItsTime) {
  Start(kSql);
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps; ++step) {
    const Micros base = kBegin + step * 10 * kMicrosPerSecond;
    SendRates(base, 1 + rng_.Below(10));
    SendOrders(base, 1 + rng_.Below(20));
    if (step == kSteps / 2) {
      Stop();
      Start(kSql);
    }
  }
  SendEnd(kBegin + kSteps * 60 * kMicrosPerSecond);
  const auto rows = Query({.view = "rated",
                           .order = {{"id", false}},
                           .limit = 10'000,
                           .wait_for = "orders/" + position_});
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_THAT(*rows, ::testing::HasSubstr("\"rows\":[" + Expected() + "]"));
  const auto batch = RunSql({.sql = "SELECT o.id, r.rate FROM orders o LEFT JOIN "
                                    "as_of(rates, o.at) r ON o.key = r.key "
                                    "WHERE o.id >= 0 ORDER BY o.id",
                             .wait_for = "",
                             .timeout = {},
                             .limit = {},
                             .abandoned = nullptr});
  ASSERT_TRUE(batch) << batch.error().ToString();
  EXPECT_THAT(*batch, ::testing::HasSubstr("\"rows\":[" + Expected() + "]"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, AsOfJoinTest, ::testing::Range(uint64_t{1}, uint64_t{9}));

}  // namespace
}  // namespace millrace
