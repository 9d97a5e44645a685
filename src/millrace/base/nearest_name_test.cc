#include "millrace/base/nearest_name.h"

#include <array>

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"connector", "format", "event_time",
                                                    "partitions"};

TEST(NearestName, FindsTypos) {
  EXPECT_EQ(NearestName("conector", kNames), "connector");
  EXPECT_EQ(NearestName("fromat", kNames), "format");
  EXPECT_EQ(NearestName("event-time", kNames), "event_time");
  EXPECT_EQ(NearestName("partition", kNames), "partitions");
}

TEST(NearestName, SuggestsNothingFarAway) {
  EXPECT_EQ(NearestName("retention", kNames), "");
  EXPECT_EQ(NearestName("", kNames), "");
  EXPECT_EQ(NearestName("x", std::array<std::string_view, 0>()), "");
  EXPECT_EQ(NearestName(std::string(10'000, 'a'), kNames), "");
}

}  // namespace
}  // namespace millrace
