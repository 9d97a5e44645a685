#pragma once

#include <optional>

#include "millrace/base/int128.h"
#include "millrace/data/types.h"

namespace millrace::internal {

// Arithmetic on numeric values: 128-bit integers times 10^-scale. Results without a value do not
// fit 38 digits. Rounding is half away from zero.

/// 10^38 - 1, the largest magnitude of any numeric.
Int128 NumericMagnitudeMax();

/// Returns whether `value` has at most `precision` digits.
bool FitsPrecision(Int128 value, uint8_t precision);

/// Moves a value from scale `from` to scale `to`.
std::optional<Int128> Rescale(Int128 value, uint8_t from, uint8_t to);

/// Negative, zero or positive as a < b, a = b, a > b.
int CompareScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b);

std::optional<Int128> AddScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                uint8_t scale);
/// a * b * 10^(scale - scale_a - scale_b); `scale` <= scale_a + scale_b.
std::optional<Int128> MultiplyScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                     uint8_t scale);
/// a / b at `scale`; b is not zero.
std::optional<Int128> DivideScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                   uint8_t scale);
/// The remainder of truncated division, with the sign of `a`; b is not zero.
std::optional<Int128> ModuloScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b,
                                   uint8_t scale);

/// The whole part of a / b; b is not zero.
std::optional<Int128> QuotientScaled(Int128 a, uint8_t scale_a, Int128 b, uint8_t scale_b);

/// a * b / c, cut off, for 0 <= a <= c, 0 <= b, 0 < c.
Int128 MultiplyDivide(Int128 a, Int128 b, Int128 c);

/// The nearest double.
double NumericToDouble(Int128 value, uint8_t scale);

}  // namespace millrace::internal
