#include "millrace/base/clock.h"

#include <gtest/gtest.h>

#include "millrace/base/ids.h"
#include "millrace/base/rng.h"

namespace millrace {
namespace {

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(100);
  clock.Advance(std::chrono::microseconds(5));
  EXPECT_EQ(clock.WallMicros(), 105);
  EXPECT_EQ(clock.Monotonic(), std::chrono::microseconds(5));
  clock.SetWall(1);
  EXPECT_EQ(clock.WallMicros(), 1);
  EXPECT_EQ(clock.Monotonic(), std::chrono::microseconds(5));
}

TEST(SystemClock, NeverGoesBack) {
  const SystemClock clock;
  const auto first = clock.Monotonic();
  EXPECT_GE(clock.Monotonic(), first);
  EXPECT_GT(clock.WallMicros(), 1'700'000'000'000'000);
}

TEST(Rng, GivesEqualSequencesForEqualSeeds) {
  Rng a(7);
  Rng b(7);
  Rng c(8);
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(a.Next(), c.Next());
  // The first number of the reference implementation for seed 0.
  EXPECT_EQ(Rng(0).Next(), 0xe220a8397b1dcdafU);
}

TEST(Rng, StaysInBounds) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(rng.Below(3), 3U);
    const double unit = rng.Unit();
    EXPECT_TRUE(unit >= 0 && unit < 1);
  }
  EXPECT_FALSE(rng.Chance(0));
  EXPECT_TRUE(rng.Chance(1));
}

TEST(Rng, FillsRandomBytes) {
  uint64_t words[4] = {};
  FillRandomBytes(words, sizeof(words));
  EXPECT_NE(words[0], words[1]);
  EXPECT_NE(words[2] | words[3], 0U);
}

TEST(Ids, CountAndCompare) {
  EXPECT_EQ(Offset(4).Next(), Offset(5));
  EXPECT_EQ(Offset(9) - Offset(4), 5);
  EXPECT_EQ(Offset(9) + 1, Offset(10));
  EXPECT_LT(StreamId(1), StreamId(2));
  EXPECT_EQ(std::hash<StreamId>{}(StreamId(3)), std::hash<uint32_t>{}(3));
  EXPECT_EQ(fmt::format("{:03}", Offset(7)), "007");
}

}  // namespace
}  // namespace millrace
