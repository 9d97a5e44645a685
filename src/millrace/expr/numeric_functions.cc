#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/expr/numeric_type.h"

namespace millrace::internal {

namespace {

constexpr TypeId kDouble = TypeId::kFloat64;
constexpr TypeId kNumeric = TypeId::kNumeric;

void FailRange(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kNumericOutOfRange,
            fmt::format("{} out of range", call.type.ToString()));
}

DataType SameType(std::span<const DataType> arguments) { return arguments[0]; }

/// Rounding up may need one more digit.
DataType WholeType(std::span<const DataType> arguments) {
  const int digits = arguments[0].precision - arguments[0].scale + 1;
  return DataType::Numeric(
      static_cast<uint8_t>(std::min<int>(digits, DataType::kNumericPrecisionMax)), 0);
}

template <typename T>
Column AbsKernel(const KernelCall& call) {
  return MapUnaryChecked<T, T>(
      call,
      [](T value) -> Checked<T> {
        if constexpr (std::is_floating_point_v<T>) {
          return {.value = std::abs(value), .failed = false};
        } else if constexpr (std::is_same_v<T, Int128>) {
          return {.value = value < 0 ? -value : value, .failed = false};
        } else {
          const bool minimum = value == std::numeric_limits<T>::min();
          return {.value = static_cast<T>(value < 0 && !minimum ? -value : value),
                  .failed = minimum};
        }
      },
      [&](size_t row) { FailRange(call, row); });
}

template <auto kFunction>
Column DoubleKernel(const KernelCall& call) {
  return MapUnary<double, double>(call, [](double value) { return kFunction(value); });
}

/// 0 for NaN, as in PostgreSQL.
double SignOf(double value) { return (value > 0) - (value < 0); }
double Ceil(double value) { return std::ceil(value); }
double Floor(double value) { return std::floor(value); }
double Trunc(double value) { return std::trunc(value); }
double RoundEven(double value) { return std::nearbyint(value); }

Column SignKernel(const KernelCall& call) {
  return MapUnary<Int128, Int128>(call,
                                  [](Int128 value) { return Int128{(value > 0) - (value < 0)}; });
}

enum class Rounding : uint8_t { kNearest, kDown, kCeiling, kFloor };

/// Rounds to `digits` behind the point, which may be negative; the scale stays.
template <Rounding kRounding>
Checked<Int128> RoundAt(Int128 value, uint8_t scale, int64_t digits) {
  if (digits >= scale) {
    return {.value = value, .failed = false};
  }
  const int64_t dropped = scale - digits;
  if (dropped > DataType::kNumericPrecisionMax) {
    return {.value = 0, .failed = false};
  }
  const Int128 unit = PowerOfTen(static_cast<uint8_t>(dropped));
  const Int128 rest = value % unit;
  Int128 result = value - rest;
  if constexpr (kRounding == Rounding::kNearest) {
    const Int128 size = rest < 0 ? -rest : rest;
    result += size >= unit - size ? (rest < 0 ? -unit : unit) : 0;
  } else if constexpr (kRounding == Rounding::kCeiling) {
    result += rest > 0 ? unit : 0;
  } else if constexpr (kRounding == Rounding::kFloor) {
    result -= rest < 0 ? unit : 0;
  }
  return {.value = result, .failed = !FitsPrecision(result, DataType::kNumericPrecisionMax)};
}

template <Rounding kRounding>
Column WholeKernel(const KernelCall& call) {
  const uint8_t scale = call.argument(0).column.type().scale;
  const uint8_t precision = call.type.precision;
  return MapUnaryChecked<Int128, Int128>(
      call,
      [scale, precision](Int128 value) {
        Checked<Int128> rounded = RoundAt<kRounding>(value, scale, 0);
        rounded.value /= PowerOfTen(scale);
        rounded.failed |= !FitsPrecision(rounded.value, precision);
        return rounded;
      },
      [&](size_t row) { FailRange(call, row); });
}

template <Rounding kRounding>
Column DigitsKernel(const KernelCall& call) {
  const DataType type = call.type;
  return MapBinaryChecked<Int128, int32_t, Int128>(
      call,
      [type](Int128 value, int32_t digits) {
        Checked<Int128> rounded = RoundAt<kRounding>(value, type.scale, digits);
        rounded.failed |= !FitsPrecision(rounded.value, type.precision);
        return rounded;
      },
      [&](size_t row) { FailRange(call, row); });
}

/// One digit more than the argument, for rounding up.
DataType RoundedType(std::span<const DataType> arguments) {
  const int precision = arguments[0].precision + 1;
  return DataType::Numeric(
      static_cast<uint8_t>(std::min<int>(precision, DataType::kNumericPrecisionMax)),
      arguments[0].scale);
}

/// The whole part of a quotient.
DataType QuotientType(std::span<const DataType> arguments) {
  const int digits = arguments[0].precision - arguments[0].scale + arguments[1].scale;
  return DataType::Numeric(
      static_cast<uint8_t>(std::clamp<int>(digits, 1, DataType::kNumericPrecisionMax)), 0);
}

Column DivKernel(const KernelCall& call) {
  const uint8_t left = call.argument(0).column.type().scale;
  const uint8_t right = call.argument(1).column.type().scale;
  const uint8_t precision = call.type.precision;
  return MapBinaryChecked<Int128, Int128, Int128>(
      call,
      [left, right, precision](Int128 a, Int128 b) -> Checked<Int128> {
        const auto value = b == 0 ? std::nullopt : QuotientScaled(a, left, b, right);
        const bool fits = value && FitsPrecision(*value, precision);
        return {.value = fits ? *value : 0, .failed = !fits};
      },
      [&](size_t row) {
        if (call.argument(1).At<Int128>(row) == 0) {
          call.Fail(row, ErrorCode::kDivisionByZero, "division by zero");
        } else {
          FailRange(call, row);
        }
      });
}

/// PostgreSQL's order: NaN is greater than every other number.
template <typename T>
bool IsLess(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return !std::isnan(a) && std::isnan(b);
    }
    return a < b;
  } else if constexpr (std::is_same_v<T, Interval>) {
    return IntervalOrder(a) < IntervalOrder(b);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return std::memcmp(a.data(), b.data(), a.size()) < 0;
  } else {
    return a < b;
  }
}

template <typename T>
T ValueOf(const Operand& operand, size_t row) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return operand.Text(row);
  } else if constexpr (std::is_same_v<T, bool>) {
    return operand.Bool(row);
  } else {
    return operand.template At<T>(row);
  }
}

/// The largest or smallest argument that is not NULL.
template <typename T, bool kGreatest>
Column ExtremeKernel(const KernelCall& call) {
  ColumnBuilder builder(call.type);
  for (size_t row = 0; row < call.rows; ++row) {
    const Operand* best = nullptr;
    for (const Operand& operand : call.arguments) {
      if (operand.IsNull(row)) {
        continue;
      }
      const bool better =
          best == nullptr || (kGreatest ? IsLess(ValueOf<T>(*best, row), ValueOf<T>(operand, row))
                                        : IsLess(ValueOf<T>(operand, row), ValueOf<T>(*best, row)));
      best = better ? &operand : best;
    }
    if (best == nullptr) {
      builder.AppendNull();
    } else {
      builder.AppendFrom(best->column, best->constant ? 0 : row);
    }
  }
  return builder.Finish();
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         Kernel kernel, ScalarFunction::ResultRule rule = SameType) {
  out.push_back(
      {.name = name, .arguments = std::move(arguments), .kernel = kernel, .result_rule = rule});
}

template <typename T>
void AddExtremes(std::vector<ScalarFunction>& out, TypeId type) {
  for (const bool greatest : {true, false}) {
    out.push_back({.name = greatest ? "greatest" : "least",
                   .arguments = {type},
                   .kernel = greatest ? ExtremeKernel<T, true> : ExtremeKernel<T, false>,
                   .result_rule = SameType,
                   .variadic = true,
                   .strict = false,
                   .may_fail = false,
                   .may_give_null = true});
  }
}

void AddRounding(std::vector<ScalarFunction>& out) {
  Add(out, "round", {kDouble}, DoubleKernel<RoundEven>);
  Add(out, "round", {kNumeric}, WholeKernel<Rounding::kNearest>, WholeType);
  Add(out, "round", {kNumeric, TypeId::kInt32}, DigitsKernel<Rounding::kNearest>, RoundedType);
  Add(out, "trunc", {kDouble}, DoubleKernel<Trunc>);
  Add(out, "trunc", {kNumeric}, WholeKernel<Rounding::kDown>, WholeType);
  Add(out, "trunc", {kNumeric, TypeId::kInt32}, DigitsKernel<Rounding::kDown>, RoundedType);
  for (const std::string_view name : {"ceil", "ceiling"}) {
    Add(out, name, {kDouble}, DoubleKernel<Ceil>);
    Add(out, name, {kNumeric}, WholeKernel<Rounding::kCeiling>, WholeType);
  }
  Add(out, "floor", {kDouble}, DoubleKernel<Floor>);
  Add(out, "floor", {kNumeric}, WholeKernel<Rounding::kFloor>, WholeType);
}

}  // namespace

void AddNumericFunctions(std::vector<ScalarFunction>& out) {
  for (const std::string_view name : {"abs", "@"}) {
    Add(out, name, {TypeId::kInt16}, AbsKernel<int16_t>);
    Add(out, name, {TypeId::kInt32}, AbsKernel<int32_t>);
    Add(out, name, {TypeId::kInt64}, AbsKernel<int64_t>);
    Add(out, name, {TypeId::kFloat32}, AbsKernel<float>);
    Add(out, name, {kDouble}, AbsKernel<double>);
    Add(out, name, {kNumeric}, AbsKernel<Int128>);
  }
  AddRounding(out);
  Add(out, "sign", {kDouble}, DoubleKernel<SignOf>);
  Add(out, "sign", {kNumeric}, SignKernel,
      [](std::span<const DataType>) { return DataType::Numeric(1, 0); });
  Add(out, "div", {kNumeric, kNumeric}, DivKernel, QuotientType);
  AddExtremes<int16_t>(out, TypeId::kInt16);
  AddExtremes<int32_t>(out, TypeId::kInt32);
  AddExtremes<int64_t>(out, TypeId::kInt64);
  AddExtremes<float>(out, TypeId::kFloat32);
  AddExtremes<double>(out, kDouble);
  AddExtremes<Int128>(out, kNumeric);
  AddExtremes<int32_t>(out, TypeId::kDate);
  AddExtremes<int64_t>(out, TypeId::kTimestamp);
  AddExtremes<int64_t>(out, TypeId::kTimestamptz);
  AddExtremes<bool>(out, TypeId::kBoolean);
  AddExtremes<Interval>(out, TypeId::kInterval);
  AddExtremes<Uuid>(out, TypeId::kUuid);
  AddExtremes<std::string_view>(out, TypeId::kText);
  AddExtremes<std::string_view>(out, TypeId::kBytea);
}

}  // namespace millrace::internal
