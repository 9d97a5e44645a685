#include "millrace/app/rate_meter.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using std::chrono::seconds;

TEST(RateMeter, IsZeroBeforeTwoNotes) {
  RateMeter meter;
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Note(seconds(1), 1'000'000);
  EXPECT_EQ(meter.PerSecond(), 0);
}

TEST(RateMeter, ForgetsWhatIsOlderThanItsWindow) {
  RateMeter meter;
  for (int second = 0; second <= 100; ++second) {
    meter.Note(seconds(second), static_cast<uint64_t>(second < 50 ? second * 1000 : 50'000));
  }
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Note(seconds(101), 60'000);
  EXPECT_EQ(meter.PerSecond(), 1000);
}

TEST(RateMeter, IsNeverNegative) {
  RateMeter meter;
  meter.Note(seconds(1), 10);
  meter.Note(seconds(2), 5);
  EXPECT_EQ(meter.PerSecond(), 0);
}

}  // namespace
}  // namespace millrace
