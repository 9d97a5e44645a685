#pragma once

#include <cmath>

namespace millrace::internal {

// Floating point of 113 bits, 34 decimal digits, from the C library: for numeric functions that
// have no exact result. On x86 it is a type of its own, elsewhere that of long double.

#if defined(__x86_64__)

using Quad = __float128;

extern "C" {
// As <math.h> declares them for gcc only.
__float128 expf128(__float128) noexcept;
__float128 floorf128(__float128) noexcept;
__float128 log10f128(__float128) noexcept;
__float128 logf128(__float128) noexcept;
__float128 powf128(__float128, __float128) noexcept;
__float128 sqrtf128(__float128) noexcept;
}

inline Quad QuadExp(Quad x) { return expf128(x); }
inline Quad QuadFloor(Quad x) { return floorf128(x); }
inline Quad QuadLog(Quad x) { return logf128(x); }
inline Quad QuadLog10(Quad x) { return log10f128(x); }
inline Quad QuadPower(Quad x, Quad y) { return powf128(x, y); }
inline Quad QuadSqrt(Quad x) { return sqrtf128(x); }

#else

using Quad = long double;

inline Quad QuadExp(Quad x) { return std::exp(x); }
inline Quad QuadFloor(Quad x) { return std::floor(x); }
inline Quad QuadLog(Quad x) { return std::log(x); }
inline Quad QuadLog10(Quad x) { return std::log10(x); }
inline Quad QuadPower(Quad x, Quad y) { return std::pow(x, y); }
inline Quad QuadSqrt(Quad x) { return std::sqrt(x); }

#endif

}  // namespace millrace::internal
