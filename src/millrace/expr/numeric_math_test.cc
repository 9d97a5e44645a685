#include "millrace/expr/numeric_math.h"

#include <gtest/gtest.h>

#include "millrace/data/text_format.h"

namespace millrace::internal {
namespace {

Int128 Of(std::string_view text, uint8_t scale) { return *ParseNumeric(text, 38, scale); }

std::string Show(const std::optional<Int128>& value, uint8_t scale) {
  return value ? FormatNumeric(*value, scale) : "overflow";
}

TEST(NumericMathTest, RoundsHalfAwayFromZero) {
  EXPECT_EQ(Show(Rescale(Of("2.5", 1), 1, 0), 0), "3");
  EXPECT_EQ(Show(Rescale(Of("-2.5", 1), 1, 0), 0), "-3");
  EXPECT_EQ(Show(Rescale(Of("2.4", 1), 1, 0), 0), "2");
  EXPECT_EQ(Show(Rescale(Of("-2.4", 1), 1, 0), 0), "-2");
  EXPECT_EQ(Show(Rescale(NumericMagnitudeMax(), 0, 1), 1), "overflow");
}

TEST(NumericMathTest, MultipliesThrough256Bits) {
  const Int128 large = Of("12345678901234567890.123456789", 9);
  EXPECT_EQ(Show(MultiplyScaled(large, 9, Of("2.000000000", 9), 9, 9), 9),
            "24691357802469135780.246913578");
  EXPECT_EQ(Show(MultiplyScaled(large, 9, large, 9, 9), 9), "overflow");
  EXPECT_EQ(Show(MultiplyScaled(Of("-0.05", 2), 2, Of("0.1", 1), 1, 2), 2), "-0.01");
}

TEST(NumericMathTest, Divides) {
  EXPECT_EQ(Show(DivideScaled(2, 0, 3, 0, 16), 16), "0.6666666666666667");
  EXPECT_EQ(Show(DivideScaled(-1, 0, 3, 0, 16), 16), "-0.3333333333333333");
  const Int128 large = Of("99999999999999999999", 0);
  EXPECT_EQ(Show(DivideScaled(large, 0, 7, 0, 16), 16), "14285714285714285714.1428571428571429");
  EXPECT_EQ(Show(DivideScaled(NumericMagnitudeMax(), 0, 1, 0, 16), 16), "overflow");
  EXPECT_EQ(Show(DivideScaled(3, 0, Of("2", 20), 20, 20), 20), "1.50000000000000000000");
}

TEST(NumericMathTest, ComparesAcrossScales) {
  EXPECT_EQ(CompareScaled(Of("1.50", 2), 2, Of("1.5", 1), 1), 0);
  EXPECT_LT(CompareScaled(Of("-2", 0), 0, Of("1.5", 1), 1), 0);
  EXPECT_LT(CompareScaled(Of("-2", 0), 0, Of("-1.5", 1), 1), 0);
  EXPECT_GT(CompareScaled(NumericMagnitudeMax(), 0, NumericMagnitudeMax(), 38), 0);
}

TEST(NumericMathTest, ConvertsToTheNearestDouble) {
  EXPECT_EQ(NumericToDouble(Of("0.1", 1), 1), 0.1);
  EXPECT_EQ(NumericToDouble(Of("12345678901234567890.5", 9), 9), 12345678901234567890.5);
}

}  // namespace
}  // namespace millrace::internal
