#include "millrace/expr/numeric_math.h"

#include <string>

#include "millrace/data/text_format.h"

namespace millrace::internal {

namespace {

/// An unsigned 256-bit integer, for products before they are divided again.
struct Wide {
  Uint128 high = 0;
  Uint128 low = 0;
};

Uint128 Magnitude(Int128 value) {
  return value < 0 ? Uint128{0} - static_cast<Uint128>(value) : static_cast<Uint128>(value);
}

Wide MultiplyWide(Uint128 a, Uint128 b) {
  constexpr Uint128 kLowMask = ~uint64_t{0};
  const Uint128 a_low = a & kLowMask;
  const Uint128 a_high = a >> 64;
  const Uint128 b_low = b & kLowMask;
  const Uint128 b_high = b >> 64;
  const Uint128 low = a_low * b_low;
  const Uint128 middle_a = a_high * b_low + (low >> 64);
  const Uint128 middle_b = a_low * b_high + (middle_a & kLowMask);
  return {.high = a_high * b_high + (middle_a >> 64) + (middle_b >> 64),
          .low = (middle_b << 64) | (low & kLowMask)};
}

struct Division {
  Wide quotient;
  Uint128 remainder = 0;
};

/// Long division bit by bit; `divisor` is below 2^127, so that shifting the remainder cannot
/// overflow.
Division DivideWide(const Wide& dividend, Uint128 divisor) {
  if (dividend.high == 0) {
    return {{0, dividend.low / divisor}, dividend.low % divisor};
  }
  Division result;
  for (int bit = 255; bit >= 0; --bit) {
    const Uint128 word = bit >= 128 ? dividend.high : dividend.low;
    result.remainder = (result.remainder << 1) | ((word >> (bit % 128)) & 1);
    result.quotient.high = (result.quotient.high << 1) | (result.quotient.low >> 127);
    result.quotient.low <<= 1;
    if (result.remainder >= divisor) {
      result.remainder -= divisor;
      result.quotient.low |= 1;
    }
  }
  return result;
}

std::optional<Int128> WithSign(const Wide& magnitude, bool negative) {
  if (magnitude.high != 0 || magnitude.low > static_cast<Uint128>(NumericMagnitudeMax())) {
    return std::nullopt;
  }
  const auto value = static_cast<Int128>(magnitude.low);
  return negative ? -value : value;
}

std::optional<Int128> DivideRounded(const Wide& dividend, Uint128 divisor, bool negative) {
  Division division = DivideWide(dividend, divisor);
  if (division.remainder >= divisor - division.remainder) {
    if (++division.quotient.low == 0) {
      ++division.quotient.high;
    }
  }
  return WithSign(division.quotient, negative);
}

std::optional<Int128> Checked(Int128 value) {
  if (value > NumericMagnitudeMax() || value < -NumericMagnitudeMax()) {
    return std::nullopt;
  }
  return value;
}

uint8_t Difference(uint8_t larger, uint8_t smaller) {
  return static_cast<uint8_t>(larger - smaller);
}

}  // namespace

Int128 NumericMagnitudeMax() {
  static const Int128 kMaximum = PowerOfTen(38) - 1;
  return kMaximum;
}

bool FitsPrecision(Int128 value, uint8_t precision) {
  const Int128 bound = PowerOfTen(precision);
  return value < bound && value > -bound;
}

std::optional<Int128> Rescale(Int128 value, uint8_t from, uint8_t to) {
  if (to == from) {
    return value;
  }
  if (to < from) {
    const Int128 divisor = PowerOfTen(Difference(from, to));
    const Int128 quotient = value / divisor;
    const Int128 remainder = value % divisor;
    const bool up = remainder >= divisor - remainder;
    const bool down = -remainder >= divisor + remainder;
    return quotient + (up ? 1 : 0) - (down ? 1 : 0);
  }
  Int128 scaled;
  if (__builtin_mul_overflow(value, PowerOfTen(Difference(to, from)), &scaled)) {
    return std::nullopt;
  }
  return Checked(scaled);
}

int CompareScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b) {
  if ((a < 0) != (b < 0)) {
    return a < 0 ? -1 : 1;
  }
  const uint8_t scale = scale_a > scale_b ? scale_a : scale_b;
  const Wide x =
      MultiplyWide(Magnitude(a), static_cast<Uint128>(PowerOfTen(Difference(scale, scale_a))));
  const Wide y =
      MultiplyWide(Magnitude(b), static_cast<Uint128>(PowerOfTen(Difference(scale, scale_b))));
  if (x.high == y.high && x.low == y.low) {
    return 0;
  }
  const bool smaller = x.high != y.high ? x.high < y.high : x.low < y.low;
  return smaller == (a >= 0) ? -1 : 1;
}

std::optional<Int128> AddScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                uint8_t scale) {
  const auto x = Rescale(a, scale_a, scale);
  const auto y = Rescale(b, scale_b, scale);
  return x && y ? Checked(*x + *y) : std::nullopt;
}

std::optional<Int128> MultiplyScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                     uint8_t scale) {
  const auto surplus = static_cast<uint8_t>(scale_a + scale_b - scale);
  Int128 product;
  if (surplus == 0 && !__builtin_mul_overflow(a, b, &product)) {
    return Checked(product);
  }
  const Wide wide = MultiplyWide(Magnitude(a), Magnitude(b));
  return DivideRounded(wide, static_cast<Uint128>(PowerOfTen(surplus)), (a < 0) != (b < 0));
}

std::optional<Int128> DivideScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                   uint8_t scale) {
  int power = scale + scale_b - scale_a;
  if (power > DataType::kNumericPrecisionMax) {
    // More than one power of ten: the first part must leave `a` within 128 bits.
    const auto moved = Rescale(a, 0, static_cast<uint8_t>(power - DataType::kNumericPrecisionMax));
    if (!moved) {
      return std::nullopt;
    }
    a = *moved;
    power = DataType::kNumericPrecisionMax;
  }
  const Wide wide =
      MultiplyWide(Magnitude(a), static_cast<Uint128>(PowerOfTen(static_cast<uint8_t>(power))));
  return DivideRounded(wide, Magnitude(b), (a < 0) != (b < 0));
}

std::optional<Int128> ModuloScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                   uint8_t scale) {
  const auto x = Rescale(a, scale_a, scale);
  const auto y = Rescale(b, scale_b, scale);
  if (x && y) {
    return *x % *y;
  }
  // A divisor beyond 38 digits at this scale is larger than any dividend that fits.
  return x;
}

std::optional<Int128> QuotientScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b) {
  const bool negative = (a < 0) != (b < 0);
  if (scale_b >= scale_a) {
    const Wide dividend =
        MultiplyWide(Magnitude(a), static_cast<Uint128>(PowerOfTen(Difference(scale_b, scale_a))));
    return WithSign(DivideWide(dividend, Magnitude(b)).quotient, negative);
  }
  const Wide divisor =
      MultiplyWide(Magnitude(b), static_cast<Uint128>(PowerOfTen(Difference(scale_a, scale_b))));
  const bool larger = divisor.high != 0;  // Than any dividend.
  return WithSign({.high = 0, .low = larger ? 0 : Magnitude(a) / divisor.low}, negative);
}

Int128 MultiplyDivide(Int128 a, Int128 b, Int128 c) {
  const Wide product = MultiplyWide(static_cast<Uint128>(a), static_cast<Uint128>(b));
  return static_cast<Int128>(DivideWide(product, static_cast<Uint128>(c)).quotient.low);
}

double NumericToDouble(Int128 value, uint8_t scale) {
  constexpr Int128 kExactMax = Int128{1} << 53;
  constexpr uint8_t kExactPowerMax = 22;  // 10^22 is the last power of ten that a double holds.
  if (value < kExactMax && value > -kExactMax && scale <= kExactPowerMax) {
    return static_cast<double>(value) / static_cast<double>(PowerOfTen(scale));
  }
  double result = 0;
  (void)ScanDouble(FormatNumeric(value, scale), result);
  return result;
}

}  // namespace millrace::internal
