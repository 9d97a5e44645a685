#include "millrace/connect/partition_clock.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using std::chrono::seconds;

TEST(PartitionClock, RaisesAPartitionThatBecomesActiveToTheStreamsWatermark) {
  PartitionClock clock(2, 10);
  const auto first = clock.Append(0, 100, seconds(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, ControlFrame::Kind::kActive);
  EXPECT_EQ(first->time, kMicrosMin);  // Nothing was promised yet.
  EXPECT_EQ(clock.watermark(), 90);
  const auto second = clock.Append(1, 50, seconds(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->time, 90);
  EXPECT_EQ(clock.EventTimeOf(*second), 100);
  EXPECT_EQ(clock.watermark(), 90);
  EXPECT_FALSE(clock.Append(1, 120, seconds(2)));
}

TEST(PartitionClock, PromisesTheFurthestWatermarkWhenAllAreIdle) {
  PartitionClock clock(2, 0);
  clock.Append(1, 100, seconds(0));
  clock.Append(0, 500, seconds(0));
  clock.Idle(0, seconds(30), seconds(30));
  EXPECT_EQ(clock.watermark(), 100);
  // Whoever has read this idle frame and not yet the other one goes on to 500.
  clock.Idle(1, seconds(30), seconds(30));
  EXPECT_EQ(clock.watermark(), 500);
  const auto active = clock.Append(1, 110, seconds(40));
  ASSERT_TRUE(active);
  EXPECT_EQ(active->time, 500);
}

TEST(PartitionClock, LooksAtAllPartitionsBeforeItPromisesAfterARestart) {
  const StreamFrame data{.type = FrameType::kData, .batch = nullptr, .payload = nullptr};
  PartitionClock clock(3, 0);
  clock.Restore(0, {.max_event_time = 500}, &data, seconds(0));
  clock.Restore(1, {.max_event_time = 100}, &data, seconds(0));
  const auto active = clock.Append(2, 50, seconds(1));
  ASSERT_TRUE(active);
  EXPECT_EQ(active->time, 100);
}

TEST(PartitionClock, LetsIdlePartitionsNoLongerHoldBackTheWatermark) {
  PartitionClock clock(2, 0);
  clock.Append(0, 100, seconds(0));
  clock.Append(1, 100, seconds(0));
  clock.Append(0, 500, seconds(20));
  EXPECT_EQ(clock.watermark(), 100);
  EXPECT_FALSE(clock.Idle(0, seconds(30), seconds(31)));
  const auto idle = clock.Idle(1, seconds(30), seconds(31));
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->kind, ControlFrame::Kind::kIdle);
  EXPECT_EQ(clock.watermark(), 500);
  EXPECT_FALSE(clock.Idle(1, seconds(30), seconds(99)));  // Once.
}

TEST(PartitionClock, KeepsTheWatermarkWhenAllPartitionsAreIdle) {
  PartitionClock clock(1, 0);
  clock.Append(0, 100, seconds(0));
  ASSERT_TRUE(clock.Idle(0, seconds(1), seconds(5)));
  EXPECT_EQ(clock.watermark(), 100);
}

TEST(PartitionClock, ComesBackFromTheEndOfTheLog) {
  PartitionClock clock(2, 0);
  const StreamFrame data{.type = FrameType::kData};
  const StreamFrame idle{
      .type = FrameType::kControl,
      .payload =
          Buffer::Own(ControlFrame{.kind = ControlFrame::Kind::kIdle, .time = 300}.Encode())};
  clock.Restore(0, {.max_event_time = 400}, &data, seconds(1000));
  clock.Restore(1, {.max_event_time = 200}, &idle, seconds(1000));
  EXPECT_EQ(clock.watermark(), 400);
  const auto active = clock.Append(1, 350, seconds(1001));
  ASSERT_TRUE(active);
  EXPECT_EQ(active->time, 400);
  // A restart is no sign of idleness.
  EXPECT_FALSE(clock.Idle(0, seconds(30), seconds(1029)));
  EXPECT_TRUE(clock.Idle(0, seconds(30), seconds(1030)));
}

}  // namespace
}  // namespace millrace
