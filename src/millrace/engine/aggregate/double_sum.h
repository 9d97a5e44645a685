#pragma once

#include <algorithm>
#include <cmath>

namespace millrace {

/// A sum of doubles kept as two, with about 106 bits (Dekker, 1971), so that what is added and
/// taken away again leaves nothing to speak of. For finite values. Plain data: all zero is zero.
struct DoubleSum {
  double high = 0;
  double low = 0;

  void Add(double value) {
    const double sum = high + value;
    const double added = sum - high;
    const double lost = (high - (sum - added)) + (value - added) + low;
    high = sum + lost;
    low = lost - (high - sum);
  }

  void Add(const DoubleSum& other) {
    Add(other.high);
    Add(other.low);
  }

  void AddProduct(double a, double b) {
    const double product = a * b;
    Add(product);
    Add(std::fma(a, b, -product));
  }

  /// Adds value * value * weight.
  void AddSquare(double value, double weight) {
    const double square = value * value;
    AddProduct(square, weight);
    AddProduct(std::fma(value, value, -square), weight);
  }

  double Get() const { return high + low; }
};

/// Sum of the squares of the distances from the mean, of `count` values with these sums.
inline double SquaredDistances(const DoubleSum& sum, const DoubleSum& squares, double count) {
  const double product = sum.high * sum.high;
  const double rest = std::fma(sum.high, sum.high, -product) + 2 * sum.high * sum.low;
  const double quotient = product / count;
  DoubleSum distances = squares;
  distances.Add(-quotient);
  distances.Add(-(std::fma(-quotient, count, product) + rest) / count);
  return std::max(0.0, distances.Get());
}

}  // namespace millrace
