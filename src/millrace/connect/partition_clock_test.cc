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
  clock.Append(0, 100, seconds(0));
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

TEST(PartitionClock, SaysOnceThatThereIsNothingAtAll) {
  PartitionClock clock(2, 0);
  EXPECT_FALSE(clock.IdleFromTheStart(seconds(30), seconds(29)));
  const auto idle = clock.IdleFromTheStart(seconds(30), seconds(30));
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->kind, ControlFrame::Kind::kIdle);
  EXPECT_EQ(clock.EventTimeOf(*idle), kMicrosMin);
  EXPECT_FALSE(clock.IdleFromTheStart(seconds(30), seconds(99)));
  // Not of one that a source holds, though it has no record yet.
  PartitionClock held(2, 0);
  ASSERT_TRUE(held.Activate(1));
  EXPECT_FALSE(held.IdleFromTheStart(seconds(30), seconds(99)));
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

TEST(PartitionClock, HoldsAnActivePartitionAtNothingBeforeItsFirstRecord) {
  PartitionClock clock(2, 0);
  ASSERT_TRUE(clock.Activate(0));
  ASSERT_TRUE(clock.Activate(1));
  EXPECT_FALSE(clock.Activate(1));
  EXPECT_FALSE(clock.Append(0, 500, seconds(0)));
  EXPECT_EQ(clock.watermark(), kMicrosMin);
  EXPECT_FALSE(clock.Append(1, 300, seconds(0)));
  EXPECT_EQ(clock.watermark(), 300);
}

TEST(PartitionClock, RaisesOnlyForward) {
  PartitionClock clock(1, 10);
  EXPECT_FALSE(clock.Raise(0, 100));  // Idle: there is nothing to hold.
  clock.Append(0, 100, seconds(0));
  EXPECT_FALSE(clock.Raise(0, 100));
  const auto raised = clock.Raise(0, 150);
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->kind, ControlFrame::Kind::kWatermark);
  EXPECT_EQ(raised->time, 140);
  EXPECT_EQ(clock.EventTimeOf(*raised), 150);
  EXPECT_EQ(clock.watermark(), 140);
}

TEST(PartitionClock, EndsAPartitionOnceAlsoAfterARestart) {
  PartitionClock clock(2, 10);
  clock.Append(0, 100, seconds(0));
  clock.Append(1, 50, seconds(0));
  const auto end = clock.End(1);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->kind, ControlFrame::Kind::kEnd);
  EXPECT_EQ(clock.EventTimeOf(*end), kMicrosMin);
  EXPECT_EQ(clock.watermark(), 90);  // It holds nothing back.
  EXPECT_FALSE(clock.End(1));
  EXPECT_FALSE(clock.SetIdle(1));

  const StreamFrame last{
      .type = FrameType::kControl, .count = 1, .payload = Buffer::Own(end->Encode())};
  PartitionClock restored(2, 10);
  restored.Restore(1, {.max_event_time = 50}, &last, seconds(0));
  EXPECT_FALSE(restored.End(1));
  EXPECT_FALSE(restored.Activate(1));
  EXPECT_EQ(restored.watermark(), 40);
}

TEST(PartitionClock, CountsNoTimeBeforeTheRestart) {
  PartitionClock clock(1, 0);
  const StreamFrame data{.type = FrameType::kData};
  clock.Restore(0, {.max_event_time = 400}, &data, seconds(1'000'000));
  EXPECT_FALSE(clock.Idle(0, seconds(30), seconds(1'000'029)));
  EXPECT_TRUE(clock.Idle(0, seconds(30), seconds(1'000'030)));
}

}  // namespace
}  // namespace millrace
