#include "millrace/connect/datagen/zipf.h"

#include <algorithm>
#include <cmath>

namespace millrace {

namespace {

constexpr double kSmall = 1e-8;

/// log(1 + x) / x.
double LogRatio(double x) {
  return std::abs(x) > kSmall ? std::log1p(x) / x : 1 - x * (0.5 - x * (1.0 / 3 - 0.25 * x));
}

/// (exp(x) - 1) / x.
double ExpRatio(double x) {
  return std::abs(x) > kSmall ? std::expm1(x) / x
                              : 1 + x * 0.5 * (1 + x * (1.0 / 3) * (1 + 0.25 * x));
}

}  // namespace

Zipf::Zipf(int64_t count, double exponent) : count_(count), exponent_(exponent) {
  integral_begin_ = Integral(1.5) - 1;
  integral_end_ = Integral(static_cast<double>(count) + 0.5);
  accepted_ = 2 - InverseIntegral(Integral(2.5) - Density(2));
}

double Zipf::Density(double x) const { return std::exp(-exponent_ * std::log(x)); }

double Zipf::Integral(double x) const {
  const double log = std::log(x);
  return ExpRatio((1 - exponent_) * log) * log;
}

double Zipf::InverseIntegral(double x) const {
  const double t = std::max(x * (1 - exponent_), -1.0);  // Rounding may have taken it below.
  return std::exp(LogRatio(t) * x);
}

int64_t Zipf::Sample(const Draws& draws, uint64_t use) const {
  while (true) {
    const double u = integral_end_ + draws.Unit(use++) * (integral_begin_ - integral_end_);
    const double x = InverseIntegral(u);
    const int64_t k = std::clamp<int64_t>(static_cast<int64_t>(x + 0.5), 1, count_);
    const auto near = static_cast<double>(k);
    if (near - x <= accepted_ || u >= Integral(near + 0.5) - Density(near)) {
      return k;
    }
  }
}

}  // namespace millrace
