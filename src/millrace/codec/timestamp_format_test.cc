#include "millrace/codec/timestamp_format.h"

#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/codec/timestamp_reader.h"

namespace millrace {
namespace {

TimestampReader Reader(std::string_view format, const std::string& zone = "UTC") {
  const auto parsed = TimestampFormat::Parse(format);
  EXPECT_TRUE(parsed) << parsed.error().ToString();
  return {*parsed, *LocalTime::Find(zone)};
}

/// The time in RFC 3339, or what is wrong with the text.
std::string Read(TimestampReader& reader, std::string_view text) {
  Micros value = 0;
  switch (reader.Scan(text, value)) {
    case ScanOutcome::kOk:
      return FormatTimestamptz(value);
    case ScanOutcome::kInvalid:
      return "invalid";
    case ScanOutcome::kOutOfRange:
      return "out of range";
  }
  return "";
}

std::string Read(std::string_view format, std::string_view text, const std::string& zone = "UTC") {
  TimestampReader reader = Reader(format, zone);
  const std::string first = Read(reader, text);
  EXPECT_EQ(Read(reader, text), first) << "with the date remembered";
  return first;
}

TEST(TimestampFormat, ReadsOptionalFractionsOfThreeDigits) {
  constexpr std::string_view kFormat = "yyyy-MM-dd HH:mm:ss[.f]";
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.1"), "2026-01-02T03:04:05.100Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.12"), "2026-01-02T03:04:05.120Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.123"), "2026-01-02T03:04:05.123Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.123456"), "2026-01-02T03:04:05.123456Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.1234565"), "2026-01-02T03:04:05.123456Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 03:04:05.1234575"), "2026-01-02T03:04:05.123458Z");
  for (const std::string_view other :
       {"2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02 03:04:05.", "2026-01-02 03:04",
        "2026-1-02 03:04:05", " 2026-01-02 03:04:05", "2026-01-02 03:04:05 ", "",
        "2026-01-02 03:04:05.1234567890", "2026-01-02 0x:04:05"}) {
    EXPECT_EQ(Read(kFormat, other), "invalid") << other;
  }
  EXPECT_EQ(Read(kFormat, "2026-02-29 00:00:00"), "out of range");
  EXPECT_EQ(Read(kFormat, "2024-02-29 00:00:00"), "2024-02-29T00:00:00Z");
  EXPECT_EQ(Read(kFormat, "2026-01-02 24:00:00"), "out of range");
  EXPECT_EQ(Read(kFormat, "0000-01-02 03:04:05"), "out of range");
}

TEST(TimestampFormat, TakesFixedFractions) {
  EXPECT_EQ(Read("yyyy-MM-dd'T'HH:mm:ss.fff", "2026-01-02T03:04:05.120"),
            "2026-01-02T03:04:05.120Z");
  EXPECT_EQ(Read("yyyy-MM-ddTHH:mm:ss.fff", "2026-01-02T03:04:05.12"), "invalid");
  EXPECT_EQ(Read("yyyy-MM-ddTHH:mm:ss.fff", "2026-01-02T03:04:05"), "invalid");
  EXPECT_EQ(Read("yyyy-MM-dd HH:mm:ss", "2026-01-02 03:04:05.1"), "invalid");
  EXPECT_EQ(Read("yyyyMMddHHmmssffffff", "20260102030405000007"), "2026-01-02T03:04:05.000007Z");
}

TEST(TimestampFormat, ReadsOtherForms) {
  EXPECT_EQ(Read("dd/MMM/yyyy:HH:mm:ss Z", "10/Oct/2000:13:55:36 -0700"), "2000-10-10T20:55:36Z");
  EXPECT_EQ(Read("M/d/yyyy h:mm a", "7/4/2026 12:05 AM"), "2026-07-04T00:05:00Z");
  EXPECT_EQ(Read("M/d/yyyy h:mm a", "7/4/2026 12:05 pm"), "2026-07-04T12:05:00Z");
  EXPECT_EQ(Read("M/d/yyyy h:mm a", "7/4/2026 13:05 pm"), "out of range");
  EXPECT_EQ(Read("dd.MM.yyyy", "31.12.2026"), "2026-12-31T00:00:00Z");
  EXPECT_EQ(Read("'o''clock' yyyy-MM-dd", "o'clock 2026-01-02"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(Read("yyyy''MM''dd", "2026'01'02"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(Read("yyyy-MM-dd[ HH:mm[:ss]]", "2026-01-02"), "2026-01-02T00:00:00Z");
  EXPECT_EQ(Read("yyyy-MM-dd[ HH:mm[:ss]]", "2026-01-02 03:04"), "2026-01-02T03:04:00Z");
  EXPECT_EQ(Read("yyyy-MM-dd[ HH:mm[:ss]]", "2026-01-02 03:04:05"), "2026-01-02T03:04:05Z");
}

TEST(TimestampFormat, ReadsZones) {
  constexpr std::string_view kFormat = "yyyy-MM-dd HH:mm:ss[.f][X]";
  EXPECT_EQ(Read(kFormat, "2026-07-01 12:00:00", "Europe/Berlin"), "2026-07-01T10:00:00Z");
  EXPECT_EQ(Read(kFormat, "2026-07-01 12:00:00.5Z", "Europe/Berlin"), "2026-07-01T12:00:00.500Z");
  EXPECT_EQ(Read(kFormat, "2026-07-01 12:00:00+05:30", "Europe/Berlin"), "2026-07-01T06:30:00Z");
  EXPECT_EQ(Read("yyyy-MM-dd HH:mm:ssX", "2026-07-01 12:00:00"), "invalid");
  EXPECT_EQ(Read(kFormat, "2026-07-01 12:00:00+16"), "invalid");
}

TEST(TimestampFormat, ReadsNumbers) {
  EXPECT_EQ(Read("epoch_seconds", "1714564800"), "2024-05-01T12:00:00Z");
  EXPECT_EQ(Read("epoch_millis", "1714564800000.25"), "2024-05-01T12:00:00.000250Z");
  EXPECT_EQ(Read("epoch_micros", "-1"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Read("epoch_seconds", "1e30"), "out of range");
  EXPECT_EQ(Read("epoch_seconds", "x"), "invalid");
}

TEST(TimestampFormat, RefusesPatternsThatMakeNoSense) {
  for (const std::string_view pattern :
       {"", "yyyy-MM", "HH:mm", "yyyy-MM-dd [HH", "yyyy-MM-dd]", "yyyy-MM-dd 'x", "yyyy-MM-dd SSS",
        "yyyy-MM-dd yyyy", "yyyy-MM-dd hh:mm", "yyyy-MM-dd HH:mm a", "yy-MM-dd", "epoch"}) {
    const auto parsed = TimestampFormat::Parse(pattern);
    ASSERT_FALSE(parsed) << pattern;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kConfigInvalidValue);
  }
  EXPECT_FALSE(TimestampFormat::Parse(std::string(101, '-') + "yyyyMMdd"));
}

TEST(TimestampReader, KeepsTheIsoForms) {
  TimestampReader reader = Reader("iso");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:05"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:06.25"), "2026-01-02T03:04:06.250Z");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:07Z"), "2026-01-02T03:04:07Z");
  EXPECT_EQ(Read(reader, "2026-01-02 23:59:59.999999"), "2026-01-02T23:59:59.999999Z");
  EXPECT_EQ(Read(reader, "2026-01-02 24:00:00"), "2026-01-03T00:00:00Z");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:05+01"), "2026-01-02T02:04:05Z");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:0:"), "invalid");
  EXPECT_EQ(Read(reader, "2026-01-02 03;04:05"), "invalid");
  EXPECT_EQ(Read(reader, "2026-01-02 03:04:05.12345x"), "invalid");
}

TEST(TimestampReader, KnowsTheClockChangesOfItsZone) {
  TimestampReader reader = Reader("iso", "Europe/Berlin");
  EXPECT_EQ(Read(reader, "2026-01-15 12:00:00"), "2026-01-15T11:00:00Z");
  EXPECT_EQ(Read(reader, "2026-01-15 13:00:00Z"), "2026-01-15T13:00:00Z");
  EXPECT_EQ(Read(reader, "2026-03-29 01:59:59"), "2026-03-29T00:59:59Z");
  EXPECT_EQ(Read(reader, "2026-03-29 02:30:00"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(Read(reader, "2026-03-29 03:00:00"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(Read(reader, "2026-10-25 02:30:00"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(Read(reader, "2026-10-25 03:00:00"), "2026-10-25T02:00:00Z");
}

/// Every text gives the same whether dates and offsets are remembered from others or not.
TEST(TimestampReader, RemembersNothingThatChangesAResult) {
  Rng rng(7);
  for (const std::string zone : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"}) {
    for (const std::string_view format :
         {"iso", "yyyy-MM-dd HH:mm:ss[.f]", "yyyy-MM-ddTHH:mm:ss[.fff][X]"}) {
      TimestampReader used = Reader(format, zone);
      for (int i = 0; i < 5000; ++i) {
        const Micros at = rng.Chance(0.5)
                              ? static_cast<Micros>(rng.Below(20)) * kMicrosPerDay / 8
                              : static_cast<Micros>(rng.Below(80 * 365)) * kMicrosPerDay / 2;
        std::string text = FormatTimestamptz(at + static_cast<Micros>(rng.Below(2'000'000)));
        text[10] = rng.Chance(0.5) ? ' ' : 'T';
        if (rng.Chance(0.7)) {
          text.pop_back();
        }
        if (rng.Chance(0.2)) {
          text[rng.Below(text.size())] = "0:9-. Z+"[rng.Below(8)];
        }
        TimestampReader fresh = Reader(format, zone);
        EXPECT_EQ(Read(used, text), Read(fresh, text)) << text << " " << format << " " << zone;
      }
    }
  }
}

}  // namespace
}  // namespace millrace
