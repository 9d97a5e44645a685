#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/text_format.h"

namespace millrace {
namespace {

std::string DoubleText(double value) {
  std::string out;
  AppendDouble(out, value);
  return out;
}

std::string FloatText(float value) {
  std::string out;
  AppendFloat(out, value);
  return out;
}

TEST(IntegerText, ChecksTheRangeOfTheType) {
  const DataType small = DataType::Of(TypeId::kInt16);
  const DataType big = DataType::Of(TypeId::kInt64);
  EXPECT_EQ(ParseInteger(" -32768 ", small).value(), -32768);
  EXPECT_EQ(ParseInteger("+32767", small).value(), 32767);
  EXPECT_EQ(ParseInteger("32768", small).error().code(), ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseInteger("-9223372036854775808", big).value(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(ParseInteger("9223372036854775808", big).error().code(), ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseInteger(std::string(1000, '9'), big).error().code(),
            ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseInteger(std::string(1000, '0') + "7", big).value(), 7);
  for (const std::string_view text : {"", "-", "1.0", "1e3", "0x10", "1 2", "--1", "abc"}) {
    EXPECT_EQ(ParseInteger(text, big).error().code(), ErrorCode::kInvalidCast) << text;
  }
}

TEST(DoubleText, ReadsPostgresForms) {
  EXPECT_EQ(ParseDouble("1.5").value(), 1.5);
  EXPECT_EQ(ParseDouble(" -.5 ").value(), -0.5);
  EXPECT_EQ(ParseDouble("+2.").value(), 2.0);
  EXPECT_EQ(ParseDouble("1e300").value(), 1e300);
  EXPECT_EQ(ParseDouble("-infinity").value(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(ParseDouble("NaN").value()));
  EXPECT_EQ(ParseDouble("0e-999").value(), 0.0);
  EXPECT_EQ(ParseDouble("1e999").error().code(), ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseDouble("1e-999").error().code(), ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseFloat("1e39").error().code(), ErrorCode::kNumericOutOfRange);
  for (const std::string_view text :
       {"", "-", ".", "e5", "1e", "nan(1)", "infinit", "0x1p3", "1,5", "--1"}) {
    EXPECT_EQ(ParseDouble(text).error().code(), ErrorCode::kInvalidCast) << text;
  }
}

TEST(DoubleText, WritesAsPostgresDoes) {
  EXPECT_EQ(DoubleText(0), "0");
  EXPECT_EQ(DoubleText(-0.0), "-0");
  EXPECT_EQ(DoubleText(0.1), "0.1");
  EXPECT_EQ(DoubleText(100000), "100000");
  EXPECT_EQ(DoubleText(123456789012345.0), "123456789012345");
  EXPECT_EQ(DoubleText(1e15), "1e+15");
  EXPECT_EQ(DoubleText(0.0001), "0.0001");
  EXPECT_EQ(DoubleText(0.00001), "1e-05");
  EXPECT_EQ(DoubleText(1.5e300), "1.5e+300");
  EXPECT_EQ(DoubleText(-12.75), "-12.75");
  EXPECT_EQ(DoubleText(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(DoubleText(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(FloatText(0.1F), "0.1");
  EXPECT_EQ(FloatText(123456.0F), "123456");
  EXPECT_EQ(FloatText(1234567.0F), "1.234567e+06");
}

TEST(DoubleText, ReadsBackWhatItWrites) {
  Rng rng(11);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<double>(rng.Next());
    if (std::isfinite(value)) {
      ASSERT_EQ(ParseDouble(DoubleText(value)).value(), value);
    }
  }
}

struct NumericCase {
  std::string_view text;
  uint8_t precision;
  uint8_t scale;
  std::string_view written;
};

TEST(NumericText, RoundsHalfAwayFromZero) {
  const NumericCase cases[] = {
      {"12.345", 12, 2, "12.35"},
      {"-12.345", 12, 2, "-12.35"},
      {"12.344999", 12, 2, "12.34"},
      {"0.5", 3, 0, "1"},
      {"-0.5", 3, 0, "-1"},
      {"0.4", 3, 0, "0"},
      {"0.05", 3, 0, "0"},
      {"6e-1", 3, 0, "1"},
      {"1e2", 5, 2, "100.00"},
      {" +007.50 ", 5, 2, "7.50"},
      {"-.25", 5, 2, "-0.25"},
      {"1.", 5, 2, "1.00"},
      {"0e999999999999999999999", 5, 2, "0.00"},
      {"1e-999999999999999999999", 5, 2, "0.00"},
      {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
      {"-0.00000000000000000000000000000000000001", 38, 38,
       "-0.00000000000000000000000000000000000001"},
  };
  for (const auto& [text, precision, scale, written] : cases) {
    const auto parsed = ParseNumeric(text, precision, scale);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().ToString();
    EXPECT_EQ(FormatNumeric(*parsed, scale), written) << text;
  }
}

TEST(NumericText, RefusesOverflowAndOthers) {
  for (const std::string_view text :
       {"1000", "999.995", "1e3", "1e99999999999999", "NaN", "-Infinity"}) {
    EXPECT_EQ(ParseNumeric(text, 5, 2).error().code(), ErrorCode::kNumericOutOfRange) << text;
  }
  EXPECT_EQ(ParseNumeric("999999999999999999999999999999999999999", 38, 0).error().code(),
            ErrorCode::kNumericOutOfRange);
  EXPECT_EQ(ParseNumeric("99999999999999999999999999999999999999.5", 38, 0).error().code(),
            ErrorCode::kNumericOutOfRange);
  for (const std::string_view text : {"", "-", ".", "1e", "1.2.3", "abc", "1 000", "0x1", "1e+"}) {
    EXPECT_EQ(ParseNumeric(text, 5, 2).error().code(), ErrorCode::kInvalidCast) << text;
  }
}

TEST(NumericText, ReadsBackWhatItWrites) {
  Rng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto scale = static_cast<uint8_t>(rng.Below(39));
    const Int128 wide = static_cast<Int128>((Uint128{rng.Next() >> 2} << 64) | rng.Next());
    Int128 value = wide % PowerOfTen(static_cast<uint8_t>(1 + rng.Below(38)));
    value = rng.Chance(0.5) ? -value : value;
    ASSERT_TRUE(ParseNumeric(FormatNumeric(value, scale), 38, scale).value() == value);
  }
}

}  // namespace
}  // namespace millrace
