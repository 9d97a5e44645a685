#include "millrace/expr/time_zone.h"

#include <gtest/gtest.h>

#include "millrace/data/text_format.h"

namespace millrace::internal {
namespace {

std::string Local(std::string_view zone, std::string_view utc) {
  ZoneClock clock(*TimeZone::Find(zone));
  const auto local = clock.ToLocal(*ParseTimestamptz(utc));
  std::string text = local ? "" : "none";
  if (local) {
    AppendTimestamp(text, *local);
  }
  return text;
}

std::string Utc(std::string_view zone, std::string_view local) {
  ZoneClock clock(*TimeZone::Find(zone));
  const auto utc = clock.ToUtc(*ParseTimestamp(local));
  return utc ? FormatTimestamptz(*utc) : "none";
}

TEST(TimeZoneTest, FindsNamesAndAbbreviations) {
  EXPECT_EQ(Local("europe/berlin", "2024-07-01T00:00:00Z"), "2024-07-01T02:00:00");
  EXPECT_EQ(Local("CET", "2024-07-01T00:00:00Z"), "2024-07-01T01:00:00");
  EXPECT_EQ(Local("utc", "2024-07-01T00:00:00Z"), "2024-07-01T00:00:00");
  EXPECT_EQ(Local("MSK", "2024-07-01T00:00:00Z"), "2024-07-01T03:00:00");
  for (const std::string_view unknown : {"", "nix", "+02", "Europe", "Europe/Berlin "}) {
    EXPECT_EQ(TimeZone::Find(unknown).error().code(), ErrorCode::kInvalidCast) << unknown;
  }
}

TEST(TimeZoneTest, KnowsWhenClocksAreSet) {
  EXPECT_EQ(Local("Europe/Berlin", "2024-03-31T00:59:59.999999Z"), "2024-03-31T01:59:59.999999");
  EXPECT_EQ(Local("Europe/Berlin", "2024-03-31T01:00:00Z"), "2024-03-31T03:00:00");
  EXPECT_EQ(Utc("Europe/Berlin", "2024-03-31T02:30:00"), "2024-03-31T01:30:00Z");
  EXPECT_EQ(Utc("Europe/Berlin", "2024-10-27T02:30:00"), "2024-10-27T01:30:00Z");
  EXPECT_EQ(Utc("Europe/Berlin", "2024-10-27T01:59:59"), "2024-10-26T23:59:59Z");
  EXPECT_EQ(Local("Europe/Berlin", "1700-07-01T00:00:00Z"), "1700-07-01T00:53:28");
  EXPECT_EQ(Local("Asia/Kathmandu", "1969-12-31T23:59:59.500Z"), "1970-01-01T05:29:59.500");
}

TEST(TimeZoneTest, HasSummerTimeBehindItsTables) {
  EXPECT_EQ(Local("Europe/Berlin", "2050-07-01T00:00:00Z"), "2050-07-01T02:00:00");
  EXPECT_EQ(Local("Europe/Berlin", "2050-12-01T00:00:00Z"), "2050-12-01T01:00:00");
  EXPECT_EQ(Local("America/New_York", "2096-02-29T12:00:00Z"), "2096-02-29T07:00:00");
  EXPECT_EQ(Local("America/New_York", "9998-07-01T12:00:00Z"), "9998-07-01T08:00:00");
  EXPECT_EQ(Utc("America/New_York", "2050-07-01T08:00:00"), "2050-07-01T12:00:00Z");
  EXPECT_EQ(Local("Asia/Tokyo", "2050-07-01T00:00:00Z"), "2050-07-01T09:00:00");
}

TEST(TimeZoneTest, HasNoTimesOutOfRange) {
  EXPECT_EQ(Local("America/New_York", "0001-01-01T00:00:00Z"), "none");
  EXPECT_EQ(Local("Asia/Tokyo", "9999-12-31T23:00:00Z"), "none");
  EXPECT_EQ(Utc("Asia/Tokyo", "0001-01-01T00:00:00"), "none");
}

TEST(TimeZoneTest, GoesThereAndBackInAnyOrder) {
  ZoneClock clock(*TimeZone::Find("Europe/Berlin"));
  const Micros start = *ParseTimestamptz("1890-01-01T00:00:00Z");
  for (int step = 0; step < 5000; ++step) {
    const Micros at = start + (int64_t{step} * 7919 % 5000) * 13 * kMicrosPerDay / 2;
    const auto local = clock.ToLocal(at);
    ASSERT_TRUE(local);
    const auto back = clock.ToUtc(*local);
    ASSERT_TRUE(back);
    // Half a day away from any change the way back is unique.
    EXPECT_LE(std::abs(*back - at), Micros{3600} * 2 * kMicrosPerSecond) << FormatTimestamptz(at);
  }
}

}  // namespace
}  // namespace millrace::internal
