#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/text_format.h"

namespace millrace {
namespace {

constexpr Micros kNoon = 1'714'564'800 * kMicrosPerSecond;  // 2024-05-01 12:00:00 UTC

struct TimestampCase {
  std::string_view text;
  Micros value;
};

TEST(TimestamptzText, ReadsIsoForms) {
  const TimestampCase cases[] = {
      {"2024-05-01T12:00:00Z", kNoon},
      {"2024-05-01T12:00:00", kNoon},
      {" 2024-05-01 12:00:00 ", kNoon},
      {"2024-05-01t12:00:00z", kNoon},
      {"2024-05-01 12:00", kNoon},
      {"2024-05-01 12:00:00 UTC", kNoon},
      {"2024-05-01 14:00:00+02", kNoon},
      {"2024-05-01 14:30:00+0230", kNoon},
      {"2024-05-01 14:30:00+02:30", kNoon},
      {"2024-05-01T06:30:00-05:30", kNoon},
      {"2024-05-01 14:30:15+02:30:15", kNoon},
      {"2024-5-1 12:00:00Z", kNoon},
      {"2024-05-01", kNoon - kMicrosPerDay / 2},
      {"2024-04-30 24:00:00Z", kNoon - kMicrosPerDay / 2},
      {"2024-05-01 11:59:60Z", kNoon},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"0001-01-01T00:00:00Z", kTimestampMin},
      {"9999-12-31T23:59:59.999999Z", kTimestampMax},
  };
  for (const auto& [text, value] : cases) {
    const auto parsed = ParseTimestamptz(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().ToString();
    EXPECT_EQ(*parsed, value) << text;
  }
}

TEST(TimestamptzText, RoundsFractionsHalfToEven) {
  const TimestampCase cases[] = {
      {"2024-05-01T12:00:00.5Z", kNoon + 500'000},
      {"2024-05-01T12:00:00.123Z", kNoon + 123'000},
      {"2024-05-01T12:00:00.123456Z", kNoon + 123'456},
      {"2024-05-01T12:00:00.123456499Z", kNoon + 123'456},
      {"2024-05-01T12:00:00.123456500Z", kNoon + 123'456},
      {"2024-05-01T12:00:00.123457500Z", kNoon + 123'458},
      {"2024-05-01T12:00:00.123456501Z", kNoon + 123'457},
      {"2024-05-01T12:00:00.999999999Z", kNoon + 1'000'000},
      {"2024-05-01T12:00:00.12345650000000001+00", kNoon + 123'457},
  };
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(ParseTimestamptz(text).value(), value) << text;
  }
}

TEST(TimestamptzText, RefusesWhatIsNoTimestamp) {
  for (const std::string_view text :
       {"", " ", "now", "2024", "2024-05", "2024-05-01T", "24-05-01", "2024-05-01T12",
        "2024-05-01T12:0:00Z", "2024-05-01T12:00:00.Z", "2024-05-01T12:00:00ZZ",
        "2024-05-01T12:00:00+", "2024-05-01T12:00:00+2:3", "2024-05-01T12:00:00.5.5Z",
        "2024-05-01X12:00:00Z", "2024/05/01", "2024-05-01T12:00:0aZ", "2024-05-01T12:00:00 EST",
        "2024-05-01T12:00:00+02:30x"}) {
    Micros value = 42;
    const ScanOutcome outcome = ScanTimestamptz(text, value);
    if (text == "2024-05-01T") {
      EXPECT_EQ(outcome, ScanOutcome::kOk);  // PostgreSQL reads it as midnight.
      continue;
    }
    EXPECT_EQ(outcome, ScanOutcome::kInvalid) << text;
    EXPECT_EQ(value, 42) << text;
    EXPECT_EQ(ParseTimestamptz(text).error().code(), ErrorCode::kInvalidCast) << text;
  }
}

TEST(TimestamptzText, RefusesFieldsOutOfRange) {
  for (const std::string_view text :
       {"2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-01T25:00:00Z",
        "2024-01-01T24:00:01Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
        "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "99999999999999999999-01-01",
        "2024-01-01T00:00:00+16", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-01",
        "0001-01-01T00:00:00+01"}) {
    EXPECT_EQ(ParseTimestamptz(text).error().code(), ErrorCode::kDatetimeOutOfRange) << text;
  }
}

TEST(TimestamptzText, WritesShortestOfNoneThreeOrSixDigits) {
  EXPECT_EQ(FormatTimestamptz(kNoon), "2024-05-01T12:00:00Z");
  EXPECT_EQ(FormatTimestamptz(kNoon + 250'000), "2024-05-01T12:00:00.250Z");
  EXPECT_EQ(FormatTimestamptz(kNoon + 250'001), "2024-05-01T12:00:00.250001Z");
  EXPECT_EQ(FormatTimestamptz(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamptz(kTimestampMin), "0001-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamptz(kTimestampMax), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(FormatTimestamptz(kMicrosMax), "9999-12-31T23:59:59.999999Z");
}

TEST(TimestamptzText, ReadsBackWhatItWrites) {
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto span = static_cast<uint64_t>(kTimestampMax - kTimestampMin);
    const Micros value = kTimestampMin + static_cast<Micros>(rng.Below(span));
    ASSERT_EQ(ParseTimestamptz(FormatTimestamptz(value)).value(), value);
  }
}

TEST(DateText, CountsDaysOverTheWholeRange) {
  int32_t expected = kDateMin;
  for (int32_t year = 1; year <= 9999; ++year) {
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    ASSERT_EQ(DaysFromCivil(year, 1, 1), expected) << year;
    expected += leap ? 366 : 365;
  }
  EXPECT_EQ(expected - 1, kDateMax);
}

TEST(DateText, RoundTrips) {
  EXPECT_EQ(ParseDate("1970-01-01").value(), 0);
  EXPECT_EQ(ParseDate("2024-02-29").value(), 19'782);
  EXPECT_EQ(ParseDate("2024-02-29T23:59:59+05").value(), 19'782);
  for (int32_t days = kDateMin; days <= kDateMax; days += 97) {
    ASSERT_EQ(ParseDate(FormatDate(days)).value(), days);
  }
  EXPECT_EQ(ParseDate("2023-02-29").error().code(), ErrorCode::kDatetimeOutOfRange);
  EXPECT_EQ(ParseDate("x").error().code(), ErrorCode::kInvalidCast);
}

struct IntervalCase {
  std::string_view text;
  Interval value;
  std::string_view written;
};

TEST(IntervalText, ReadsAndWritesPostgresForms) {
  constexpr Micros kSecond = kMicrosPerSecond;
  const IntervalCase cases[] = {
      {"1 hour 2 minutes", {0, 0, 3720 * kSecond}, "01:02:00"},
      {"5 seconds", {0, 0, 5 * kSecond}, "00:00:05"},
      {"PT5M", {0, 0, 300 * kSecond}, "00:05:00"},
      {"P1Y2M3DT4H5M6.5S", {14, 3, 14'706'500'000}, "1 year 2 mons 3 days 04:05:06.5"},
      {"P2W", {0, 14, 0}, "14 days"},
      {"PT-5M", {0, 0, -300 * kSecond}, "-00:05:00"},
      {"1 day", {0, 1, 0}, "1 day"},
      {"-1 day", {0, -1, 0}, "-1 days"},
      {"1 mon -1 day", {1, -1, 0}, "1 mon -1 days"},
      {"-1 day 02:00", {0, -1, 7200 * kSecond}, "-1 days +02:00:00"},
      {"1-2", {14, 0, 0}, "1 year 2 mons"},
      {"-1-2", {-14, 0, 0}, "-1 years -2 mons"},
      {"04:05:06.789", {0, 0, 14'706'789'000}, "04:05:06.789"},
      {"-00:00:01", {0, 0, -kSecond}, "-00:00:01"},
      {"100:00:00", {0, 0, 360'000 * kSecond}, "100:00:00"},
      {"90", {0, 0, 90 * kSecond}, "00:01:30"},
      {"1.5 days", {0, 1, kMicrosPerDay / 2}, "1 day 12:00:00"},
      {"1.5 months", {1, 15, 0}, "1 mon 15 days"},
      {"1.5 years", {18, 0, 0}, "1 year 6 mons"},
      {"100 ms", {0, 0, 100'000}, "00:00:00.1"},
      {"100ms", {0, 0, 100'000}, "00:00:00.1"},
      {"@ 1 minute ago", {0, 0, -60 * kSecond}, "-00:01:00"},
      {"0", {0, 0, 0}, "00:00:00"},
      {"2 Weeks", {0, 14, 0}, "14 days"},
      {"1 day 2 hours 3 min 4 sec", {0, 1, 7384 * kSecond}, "1 day 02:03:04"},
  };
  for (const auto& [text, value, written] : cases) {
    const auto parsed = ParseInterval(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().ToString();
    EXPECT_EQ(*parsed, value) << text << " -> " << FormatInterval(*parsed);
    EXPECT_EQ(FormatInterval(value), written);
    EXPECT_EQ(ParseInterval(written).value(), value) << written;
  }
}

TEST(IntervalText, RefusesOthers) {
  for (const std::string_view text :
       {"", "x", "1 parsec", "P", "PT", "P1", "P1H", "PT1D", "1:", "1:60", "1:00:60", "ago",
        "1 hour x", "1 2 hours", "--1 hour", "PTT1H"}) {
    EXPECT_EQ(ParseInterval(text).error().code(), ErrorCode::kInvalidCast) << text;
  }
  for (const std::string_view text :
       {"999999999999 years", "99999999999999999999999999 s", "P3000000000D"}) {
    EXPECT_EQ(ParseInterval(text).error().code(), ErrorCode::kDatetimeOutOfRange) << text;
  }
}

}  // namespace
}  // namespace millrace
