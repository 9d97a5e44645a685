#pragma once

#include <cstdint>

#include "millrace/connect/generate/draws.h"

namespace millrace {

/// Zipf's distribution over 1 .. count: k comes with a probability proportional to 1 / k^exponent.
/// W. Hoermann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
/// distributions", ACM TOMACS 6 (1996): no table, whatever the count. Immutable.
class Zipf {
 public:
  /// `count` >= 1, `exponent` > 0.
  Zipf(int64_t count, double exponent);

  /// Takes draws from `use` on, as many as it needs; seldom more than two.
  int64_t Sample(const Draws& draws, uint64_t use) const;

 private:
  double Density(double x) const;
  double Integral(double x) const;
  double InverseIntegral(double x) const;

  int64_t count_;
  double exponent_;
  double integral_begin_;
  double integral_end_;
  double accepted_;
};

}  // namespace millrace
