#include "millrace/cli/reconnect_schedule.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

/// The delays until the schedule gives up, each waited for.
std::vector<int64_t> DelaysMs(ReconnectSchedule& schedule, ManualClock& clock) {
  std::vector<int64_t> delays;
  while (const auto delay = schedule.NextDelay()) {
    delays.push_back(std::chrono::duration_cast<milliseconds>(*delay).count());
    clock.Advance(std::chrono::duration_cast<std::chrono::microseconds>(*delay));
  }
  return delays;
}

TEST(ReconnectSchedule, DoublesUpToALimitAndGivesUp) {
  ManualClock clock;
  ReconnectSchedule schedule(clock, milliseconds(15'000));
  EXPECT_FALSE(schedule.is_away());
  EXPECT_THAT(DelaysMs(schedule, clock), ElementsAre(100, 200, 400, 800, 1600, 3200, 5000, 3700));
  EXPECT_TRUE(schedule.is_away());
}

TEST(ReconnectSchedule, BeginsAgainAfterAnAnswer) {
  ManualClock clock;
  ReconnectSchedule schedule(clock, milliseconds(700));
  EXPECT_THAT(DelaysMs(schedule, clock), ElementsAre(100, 200, 400));
  schedule.Answered();
  EXPECT_FALSE(schedule.is_away());
  EXPECT_THAT(DelaysMs(schedule, clock), ElementsAre(100, 200, 400));
}

TEST(ReconnectSchedule, CountsTheTimeOfTriesThemselves) {
  ManualClock clock;
  ReconnectSchedule schedule(clock, milliseconds(700));
  ASSERT_TRUE(schedule.NextDelay());
  clock.Advance(milliseconds(650));
  EXPECT_EQ(schedule.NextDelay(), milliseconds(50));
  clock.Advance(milliseconds(50));
  EXPECT_FALSE(schedule.NextDelay());
}

TEST(ReconnectSchedule, WithoutPatienceNeverTriesAgain) {
  ManualClock clock;
  ReconnectSchedule schedule(clock, milliseconds(0));
  EXPECT_FALSE(schedule.NextDelay());
}

}  // namespace
}  // namespace millrace
