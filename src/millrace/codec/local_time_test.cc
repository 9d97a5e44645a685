#include "millrace/codec/local_time.h"

#include <gtest/gtest.h>

#include "millrace/data/text_format.h"

namespace millrace {
namespace {

std::string Convert(const std::string& zone, const std::string& text) {
  const auto time = LocalTime::Find(zone);
  EXPECT_TRUE(time) << time.error().ToString();
  return FormatTimestamptz(time->ToUtc(*ParseTimestamptz(text)));
}

TEST(LocalTime, ConvertsWithTheRulesOfTheDate) {
  EXPECT_EQ(Convert("UTC", "2026-01-01 12:00:00"), "2026-01-01T12:00:00Z");
  EXPECT_EQ(Convert("Europe/Berlin", "2026-01-01 12:00:00.25"), "2026-01-01T11:00:00.250Z");
  EXPECT_EQ(Convert("Europe/Berlin", "2026-07-01 12:00:00"), "2026-07-01T10:00:00Z");
  EXPECT_EQ(Convert("America/St_Johns", "2026-01-01 00:00:00"), "2026-01-01T03:30:00Z");
}

TEST(LocalTime, DecidesWhatTheClockSaysTwiceOrNever) {
  EXPECT_EQ(Convert("Europe/Berlin", "2026-10-25 02:30:00"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(Convert("Europe/Berlin", "2026-03-29 02:30:00"), "2026-03-29T01:00:00Z");
}

TEST(LocalTime, TakesTheEndsOfTime) {
  EXPECT_EQ(Convert("Europe/Berlin", "9999-12-31 12:00:00"), "9999-12-31T11:00:00Z");
  EXPECT_EQ(Convert("America/New_York", "0001-01-02 00:00:00").substr(0, 10), "0001-01-02");
}

TEST(LocalTime, RefusesUnknownZones) {
  const auto zone = LocalTime::Find("Middle/Earth");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code(), ErrorCode::kConfigInvalidValue);
}

TEST(LocalTime, SeesAZoneInText) {
  EXPECT_FALSE(HasTimeZone("2026-01-01 12:00:00"));
  EXPECT_FALSE(HasTimeZone("2026-01-01"));
  EXPECT_TRUE(HasTimeZone("2026-01-01T12:00:00Z"));
  EXPECT_TRUE(HasTimeZone("2026-01-01 12:00:00.5+02"));
  EXPECT_TRUE(HasTimeZone("2026-01-01 12:00:00-0330"));
  EXPECT_TRUE(HasTimeZone("2026-01-01 12:00:00 UTC"));
}

}  // namespace
}  // namespace millrace
