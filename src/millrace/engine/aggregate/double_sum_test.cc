#include "millrace/engine/aggregate/double_sum.h"

#include <vector>

#include <gtest/gtest.h>

#include "millrace/base/rng.h"

namespace millrace {
namespace {

TEST(DoubleSum, IsExactWhereADoubleIsNot) {
  DoubleSum sum;
  sum.Add(1e16);
  sum.Add(1);
  sum.Add(-1e16);
  EXPECT_EQ(sum.Get(), 1);
}

TEST(DoubleSum, LeavesNothingOfWhatIsTakenAway) {
  Rng rng(1);
  std::vector<double> values;
  DoubleSum sum;
  DoubleSum squares;
  for (int i = 0; i < 1000; ++i) {
    values.push_back((rng.Unit() - 0.5) * 1e6);
    sum.AddProduct(values.back(), 1);
    squares.AddSquare(values.back(), 1);
  }
  for (const double value : values) {
    sum.AddProduct(value, -1);
    squares.AddSquare(value, -1);
  }
  EXPECT_NEAR(sum.Get(), 0, 1e-20);
  EXPECT_NEAR(squares.Get(), 0, 1e-14);
}

TEST(DoubleSum, FindsASmallSpreadAroundALargeMean) {
  DoubleSum sum;
  DoubleSum squares;
  for (const double value : {1e9 + 1, 1e9 + 2, 1e9 + 3}) {
    sum.AddProduct(value, 1);
    squares.AddSquare(value, 1);
  }
  EXPECT_DOUBLE_EQ(SquaredDistances(sum, squares, 3), 2);
}

TEST(DoubleSum, MergesAsIfAddedTogether) {
  DoubleSum all;
  DoubleSum a;
  DoubleSum b;
  for (const double value : {0.1, 0.2, 1e12}) {
    all.Add(value);
    a.Add(value);
  }
  for (const double value : {-1e12, 0.3}) {
    all.Add(value);
    b.Add(value);
  }
  a.Add(b);
  EXPECT_DOUBLE_EQ(a.Get(), all.Get());
  EXPECT_NEAR(a.Get(), 0.6, 1e-12);
}

}  // namespace
}  // namespace millrace
