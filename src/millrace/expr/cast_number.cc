#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/cast_kernels.h"
#include "millrace/expr/numeric_math.h"

namespace millrace::internal {

namespace {

template <typename From, typename To>
Checked<To> IntegerToInteger(From value) {
  return {.value = static_cast<To>(value), .failed = !std::in_range<To>(value)};
}

template <typename From, typename To>
Checked<To> FloatToInteger(From value) {
  const double rounded = std::nearbyint(static_cast<double>(value));
  const auto limit = std::ldexp(1.0, std::numeric_limits<To>::digits);
  const bool fits = rounded >= -limit && rounded < limit;
  return {.value = fits ? static_cast<To>(rounded) : To{0}, .failed = !fits};
}

template <typename From, typename To>
Checked<To> FloatToFloat(From value) {
  const auto result = static_cast<To>(value);
  const bool overflow = std::isinf(result) && !std::isinf(value);
  const bool underflow = result == 0 && value != 0;
  return {.value = result, .failed = overflow || underflow};
}

Checked<Int128> FitNumeric(std::optional<Int128> value, const DataType& type) {
  const bool fits = value && FitsPrecision(*value, type.precision);
  return {.value = fits ? *value : 0, .failed = !fits};
}

/// PostgreSQL goes through text with the digits that the type surely holds.
template <typename From>
Checked<Int128> FloatToNumeric(From value, const DataType& type) {
  char text[64];
  const auto end =
      fmt::format_to_n(text, sizeof(text), "{:.{}g}", value, std::numeric_limits<From>::digits10);
  Int128 result = 0;
  const auto outcome = ScanNumeric({text, end.size}, type.precision, type.scale, result);
  return {.value = result, .failed = outcome != ScanOutcome::kOk};
}

template <typename From, typename To>
Checked<To> Convert(From value, const DataType& from, const DataType& to) {
  constexpr bool kFromNumeric = std::is_same_v<From, Int128>;
  constexpr bool kToNumeric = std::is_same_v<To, Int128>;
  constexpr bool kFromFloat = std::is_floating_point_v<From>;
  constexpr bool kToFloat = std::is_floating_point_v<To>;
  if constexpr (kFromNumeric && kToNumeric) {
    return FitNumeric(Rescale(value, from.scale, to.scale), to);
  } else if constexpr (kFromNumeric && kToFloat) {
    return FloatToFloat<double, To>(NumericToDouble(value, from.scale));
  } else if constexpr (kFromNumeric) {
    const Int128 whole = *Rescale(value, from.scale, 0);
    const bool fits =
        whole >= std::numeric_limits<To>::min() && whole <= std::numeric_limits<To>::max();
    return {.value = fits ? static_cast<To>(whole) : To{0}, .failed = !fits};
  } else if constexpr (kFromFloat && kToNumeric) {
    return FloatToNumeric(value, to);
  } else if constexpr (kToNumeric) {
    return FitNumeric(Rescale(value, 0, to.scale), to);
  } else if constexpr (kFromFloat && kToFloat) {
    return FloatToFloat<From, To>(value);
  } else if constexpr (kFromFloat) {
    return FloatToInteger<From, To>(value);
  } else if constexpr (kToFloat) {
    return {.value = static_cast<To>(value), .failed = false};
  } else {
    return IntegerToInteger<From, To>(value);
  }
}

template <typename From, typename To>
Column CastFixed(const KernelCall& call) {
  const DataType from = call.argument(0).column.type();
  const DataType to = call.type;
  return MapUnaryChecked<From, To>(
      call, [from, to](From value) { return Convert<From, To>(value, from, to); },
      [&](size_t row) {
        call.Fail(row, ErrorCode::kNumericOutOfRange,
                  fmt::format("{} out of range: {}", to.ToString(),
                              FormatValue(ValueAt(call.argument(0).column,
                                                  call.argument(0).constant ? 0 : row),
                                          from)));
      });
}

template <typename From>
Column CastNumberFrom(const KernelCall& call) {
  switch (call.type.id) {
    case TypeId::kInt16:
      return CastFixed<From, int16_t>(call);
    case TypeId::kInt32:
      return CastFixed<From, int32_t>(call);
    case TypeId::kInt64:
      return CastFixed<From, int64_t>(call);
    case TypeId::kFloat32:
      return CastFixed<From, float>(call);
    case TypeId::kFloat64:
      return CastFixed<From, double>(call);
    default:
      return CastFixed<From, Int128>(call);
  }
}

}  // namespace

Column CastNumber(const KernelCall& call) {
  switch (call.argument(0).column.type().id) {
    case TypeId::kInt16:
      return CastNumberFrom<int16_t>(call);
    case TypeId::kInt32:
      return CastNumberFrom<int32_t>(call);
    case TypeId::kInt64:
      return CastNumberFrom<int64_t>(call);
    case TypeId::kFloat32:
      return CastNumberFrom<float>(call);
    case TypeId::kFloat64:
      return CastNumberFrom<double>(call);
    default:
      return CastNumberFrom<Int128>(call);
  }
}

}  // namespace millrace::internal
