#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/expr/quad_math.h"

namespace millrace::internal {

namespace {

// Roots, powers, logarithms, angles. Of double precision they are the C library's, of numeric they
// have 16 digits behind the point and at most 33 digits in all.

constexpr TypeId kDouble = TypeId::kFloat64;
constexpr TypeId kNumeric = TypeId::kNumeric;
constexpr DataType kNumericResult = DataType::Numeric(DataType::kNumericPrecisionMax, 16);

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Why an operation has no result on its arguments; none: it has one.
using Problem = const char*;

template <typename T>
struct Outcome {
  T value{};
  Problem problem = nullptr;
};

constexpr Problem kOutOfRange = "value out of range";
constexpr Problem kDivision = "division by zero";
constexpr Problem kInput = "input is out of range";
constexpr Problem kNegativeRoot = "cannot take square root of a negative number";
constexpr Problem kLogOfZero = "cannot take logarithm of zero";
constexpr Problem kLogOfNegative = "cannot take logarithm of a negative number";
constexpr Problem kZeroPower = "zero raised to a negative power is undefined";
constexpr Problem kComplexPower =
    "a negative number raised to a non-integer power yields a complex result";

/// Overflow to infinity and underflow to zero of finite arguments.
Outcome<double> CheckedDouble(double value, bool finite, bool may_be_zero) {
  const bool wrong = finite && (!std::isfinite(value) || (value == 0 && !may_be_zero));
  return {.value = value, .problem = wrong ? kOutOfRange : nullptr};
}

template <auto kFunction>
Column UnaryDouble(const KernelCall& call) {
  return MapUnaryChecked<double, double>(
      call,
      [](double x) -> Checked<double> {
        const Outcome<double> result = kFunction(x);
        return {.value = result.value, .failed = result.problem != nullptr};
      },
      [&](size_t row) {
        call.Fail(row, ErrorCode::kNumericOutOfRange,
                  kFunction(call.argument(0).At<double>(row)).problem);
      });
}

template <auto kFunction>
Column BinaryDouble(const KernelCall& call) {
  return MapBinaryChecked<double, double, double>(
      call,
      [](double x, double y) -> Checked<double> {
        const Outcome<double> result = kFunction(x, y);
        return {.value = result.value, .failed = result.problem != nullptr};
      },
      [&](size_t row) {
        const double x = call.argument(0).At<double>(row);
        const double y = call.argument(1).At<double>(row);
        call.Fail(row, ErrorCode::kNumericOutOfRange, kFunction(x, y).problem);
      });
}

/// Functions that are defined everywhere, and have no NaN nor infinity from finite arguments.
template <double (*kFunction)(double)>
Outcome<double> Total(double x) {
  return {.value = kFunction(x)};
}

Outcome<double> Sqrt(double x) {
  return {.value = std::sqrt(x), .problem = x < 0 ? kNegativeRoot : nullptr};
}

Outcome<double> Exp(double x) { return CheckedDouble(std::exp(x), std::isfinite(x), false); }

template <double (*kFunction)(double)>
Outcome<double> Log(double x) {
  const Problem problem = x == 0 ? kLogOfZero : x < 0 ? kLogOfNegative : nullptr;
  return {.value = kFunction(x), .problem = problem};
}

Outcome<double> Power(double x, double y) {
  if (x == 0 && y < 0) {
    return {.problem = kZeroPower};
  }
  if (x < 0 && !std::isnan(y) && std::floor(y) != y) {
    return {.problem = kComplexPower};
  }
  return CheckedDouble(std::pow(x, y), std::isfinite(x) && std::isfinite(y), x == 0);
}

/// Functions of angles, which infinity is not.
template <double (*kFunction)(double)>
Outcome<double> OfAngle(double x) {
  return {.value = kFunction(x), .problem = std::isinf(x) ? kInput : nullptr};
}

/// Functions that are only defined between two bounds.
template <double (*kFunction)(double), double kLow, double kHigh>
Outcome<double> Within(double x) {
  const bool outside = x < kLow || x > kHigh;
  return {.value = kFunction(x), .problem = outside ? kInput : nullptr};
}

double Cot(double x) { return 1 / std::tan(x); }
double ToDegrees(double x) { return x / (std::numbers::pi / 180); }
double ToRadians(double x) { return x * (std::numbers::pi / 180); }

Outcome<double> Degrees(double x) { return CheckedDouble(ToDegrees(x), std::isfinite(x), x == 0); }
Outcome<double> Radians(double x) { return CheckedDouble(ToRadians(x), std::isfinite(x), x == 0); }
Outcome<double> Atan2(double y, double x) { return {.value = std::atan2(y, x)}; }

Column PiKernel(const KernelCall& call) {
  return FixedResult(call, std::vector<double>(call.rows, std::numbers::pi));
}

// numeric

Quad ToQuad(Int128 value, uint8_t scale) {
  return static_cast<Quad>(value) / static_cast<Quad>(PowerOfTen(scale));
}

/// The nearest numeric with 16 digits behind the point; digits behind the 33rd, which a Quad does
/// not hold, are zero.
Outcome<Int128> FromQuad(Quad value) {
  constexpr int kDigits = 33;
  const bool negative = value < 0;
  Quad magnitude = (negative ? -value : value) * static_cast<Quad>(PowerOfTen(16));
  int dropped = 0;
  while (dropped <= DataType::kNumericPrecisionMax - kDigits &&
         magnitude >= static_cast<Quad>(PowerOfTen(kDigits))) {
    magnitude /= 10;
    ++dropped;
  }
  if (!(magnitude < static_cast<Quad>(PowerOfTen(kDigits)))) {
    return {.problem = kOutOfRange};
  }
  // A result that ends in 5 behind the last digit may lie an unlucky bit below.
  const Quad half = Quad{0.5} + magnitude * Quad{4e-34};
  const auto digits = static_cast<Int128>(QuadFloor(magnitude + half));
  const Int128 result = digits * PowerOfTen(static_cast<uint8_t>(dropped));
  if (!FitsPrecision(result, DataType::kNumericPrecisionMax)) {
    return {.problem = kOutOfRange};
  }
  return {.value = negative ? -result : result};
}

void FailNumeric(const KernelCall& call, size_t row, Problem problem) {
  call.Fail(row, problem == kDivision ? ErrorCode::kDivisionByZero : ErrorCode::kNumericOutOfRange,
            problem);
}

template <auto kFunction>
Column UnaryNumeric(const KernelCall& call) {
  const uint8_t scale = call.argument(0).column.type().scale;
  const auto operation = [scale](Int128 x) -> Outcome<Int128> {
    const Outcome<Quad> result = kFunction(ToQuad(x, scale));
    return result.problem == nullptr ? FromQuad(result.value)
                                     : Outcome<Int128>{.problem = result.problem};
  };
  return ComputeRows<Int128>(call, [&](size_t row) {
    const Outcome<Int128> result = operation(call.argument(0).At<Int128>(row));
    if (result.problem != nullptr) {
      FailNumeric(call, row, result.problem);
    }
    return result.value;
  });
}

template <auto kFunction>
Column BinaryNumeric(const KernelCall& call) {
  const uint8_t left = call.argument(0).column.type().scale;
  const uint8_t right = call.argument(1).column.type().scale;
  return ComputeRows<Int128>(call, [&](size_t row) -> Int128 {
    const Quad x = ToQuad(call.argument(0).At<Int128>(row), left);
    const Quad y = ToQuad(call.argument(1).At<Int128>(row), right);
    const Outcome<Quad> raw = kFunction(x, y);
    const Outcome<Int128> result =
        raw.problem == nullptr ? FromQuad(raw.value) : Outcome<Int128>{.problem = raw.problem};
    if (result.problem != nullptr) {
      FailNumeric(call, row, result.problem);
    }
    return result.value;
  });
}

Outcome<Quad> NumericSqrt(Quad x) {
  return {.value = x < 0 ? Quad{0} : QuadSqrt(x), .problem = x < 0 ? kNegativeRoot : nullptr};
}
Outcome<Quad> NumericExp(Quad x) { return {.value = QuadExp(x)}; }

template <Quad (*kFunction)(Quad)>
Outcome<Quad> NumericLog(Quad x) {
  const Problem problem = x == 0 ? kLogOfZero : x < 0 ? kLogOfNegative : nullptr;
  return {.value = problem == nullptr ? kFunction(x) : Quad{0}, .problem = problem};
}

Outcome<Quad> NumericPower(Quad x, Quad y) {
  if (x == 0 && y < 0) {
    return {.problem = kZeroPower};
  }
  if (x < 0 && QuadFloor(y) != y) {
    return {.problem = kComplexPower};
  }
  return {.value = QuadPower(x, y)};
}

Outcome<Quad> NumericLogOf(Quad base, Quad x) {
  const Outcome<Quad> below = NumericLog<QuadLog>(base);
  const Outcome<Quad> above = NumericLog<QuadLog>(x);
  if (below.problem != nullptr || above.problem != nullptr) {
    return {.problem = below.problem != nullptr ? below.problem : above.problem};
  }
  if (below.value == 0) {
    return {.problem = kDivision};
  }
  return {.value = above.value / below.value};
}

// width_bucket

Outcome<int32_t> Bucket(double value, double low, double high, int32_t count) {
  if (count <= 0) {
    return {.problem = "count must be greater than zero"};
  }
  if (std::isnan(value) || std::isnan(low) || std::isnan(high)) {
    return {.problem = "operand, lower bound, and upper bound cannot be NaN"};
  }
  if (std::isinf(low) || std::isinf(high)) {
    return {.problem = "lower and upper bounds must be finite"};
  }
  if (low == high) {
    return {.problem = "lower bound cannot equal upper bound"};
  }
  const bool falling = low > high;
  if (falling ? value > low : value < low) {
    return {.value = 0};
  }
  if (falling ? value <= high : value >= high) {
    return {.value = count == std::numeric_limits<int32_t>::max() ? 0 : count + 1,
            .problem = count == std::numeric_limits<int32_t>::max() ? kOutOfRange : nullptr};
  }
  // Halves, so that the width of the widest range is finite.
  const double part = (value / 2 - low / 2) / (high / 2 - low / 2);
  const auto bucket = static_cast<int64_t>(std::floor(part * count));
  return {.value = static_cast<int32_t>(std::min<int64_t>(bucket, count - 1)) + 1};
}

Column BucketKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const auto at = [&](size_t argument) { return call.argument(argument).At<double>(row); };
    const Outcome<int32_t> result = Bucket(at(0), at(1), at(2), call.argument(3).At<int32_t>(row));
    if (result.problem != nullptr) {
      call.Fail(row, ErrorCode::kNumericOutOfRange, result.problem);
    }
    return result.value;
  });
}

Outcome<int32_t> NumericBucket(Int128 value, Int128 low, Int128 high, int32_t count) {
  if (count <= 0) {
    return {.problem = "count must be greater than zero"};
  }
  if (low == high) {
    return {.problem = "lower bound cannot equal upper bound"};
  }
  const bool falling = low > high;
  if (falling ? value > low : value < low) {
    return {.value = 0};
  }
  if (falling ? value <= high : value >= high) {
    return {.value = count == std::numeric_limits<int32_t>::max() ? 0 : count + 1,
            .problem = count == std::numeric_limits<int32_t>::max() ? kOutOfRange : nullptr};
  }
  Int128 width = 0;
  if (__builtin_sub_overflow(falling ? low : high, falling ? high : low, &width)) {
    return {.problem = kOutOfRange};
  }
  const Int128 distance = falling ? low - value : value - low;
  return {.value = static_cast<int32_t>(MultiplyDivide(distance, count, width)) + 1};
}

Column NumericBucketKernel(const KernelCall& call) {
  uint8_t scale = 0;
  for (size_t i = 0; i < 3; ++i) {
    scale = std::max(scale, call.argument(i).column.type().scale);
  }
  const auto at = [&](size_t argument, size_t row) {
    const Operand& operand = call.argument(argument);
    return Rescale(operand.At<Int128>(row), operand.column.type().scale, scale);
  };
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const auto value = at(0, row);
    const auto low = at(1, row);
    const auto high = at(2, row);
    Outcome<int32_t> result{.problem = kOutOfRange};
    if (value && low && high) {
      result = NumericBucket(*value, *low, *high, call.argument(3).At<int32_t>(row));
    }
    if (result.problem != nullptr) {
      call.Fail(row, ErrorCode::kNumericOutOfRange, result.problem);
    }
    return result.value;
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         DataType result, Kernel kernel, bool may_fail = true) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = result,
                 .kernel = kernel,
                 .may_fail = may_fail});
}

void AddDouble(std::vector<ScalarFunction>& out, std::string_view name, Kernel kernel,
               bool may_fail = true) {
  Add(out, name, {kDouble}, DataType::Of(kDouble), kernel, may_fail);
}

void AddNumeric(std::vector<ScalarFunction>& out, std::string_view name,
                std::vector<TypeId> arguments, Kernel kernel) {
  Add(out, name, std::move(arguments), kNumericResult, kernel);
}

void AddAngles(std::vector<ScalarFunction>& out) {
  AddDouble(out, "sin", UnaryDouble<OfAngle<std::sin>>);
  AddDouble(out, "cos", UnaryDouble<OfAngle<std::cos>>);
  AddDouble(out, "tan", UnaryDouble<OfAngle<std::tan>>);
  AddDouble(out, "cot", UnaryDouble<OfAngle<Cot>>);
  AddDouble(out, "asin", UnaryDouble<Within<std::asin, -1.0, 1.0>>);
  AddDouble(out, "acos", UnaryDouble<Within<std::acos, -1.0, 1.0>>);
  AddDouble(out, "atan", UnaryDouble<Total<std::atan>>, false);
  AddDouble(out, "sinh", UnaryDouble<Total<std::sinh>>, false);
  AddDouble(out, "cosh", UnaryDouble<Total<std::cosh>>, false);
  AddDouble(out, "tanh", UnaryDouble<Total<std::tanh>>, false);
  AddDouble(out, "asinh", UnaryDouble<Total<std::asinh>>, false);
  AddDouble(out, "acosh", UnaryDouble<Within<std::acosh, 1.0, kInfinity>>);
  AddDouble(out, "atanh", UnaryDouble<Within<std::atanh, -1.0, 1.0>>);
  AddDouble(out, "degrees", UnaryDouble<Degrees>);
  AddDouble(out, "radians", UnaryDouble<Radians>);
  Add(out, "atan2", {kDouble, kDouble}, DataType::Of(kDouble), BinaryDouble<Atan2>, false);
  Add(out, "pi", {}, DataType::Of(kDouble), PiKernel, false);
}

}  // namespace

void AddMathFunctions(std::vector<ScalarFunction>& out) {
  for (const std::string_view name : {"sqrt", "|/"}) {
    AddDouble(out, name, UnaryDouble<Sqrt>);
  }
  AddNumeric(out, "sqrt", {kNumeric}, UnaryNumeric<NumericSqrt>);
  for (const std::string_view name : {"cbrt", "||/"}) {
    AddDouble(out, name, UnaryDouble<Total<std::cbrt>>, false);
  }
  AddDouble(out, "exp", UnaryDouble<Exp>);
  AddNumeric(out, "exp", {kNumeric}, UnaryNumeric<NumericExp>);
  AddDouble(out, "ln", UnaryDouble<Log<std::log>>);
  AddNumeric(out, "ln", {kNumeric}, UnaryNumeric<NumericLog<QuadLog>>);
  for (const std::string_view name : {"log", "log10"}) {
    AddDouble(out, name, UnaryDouble<Log<std::log10>>);
    AddNumeric(out, name, {kNumeric}, UnaryNumeric<NumericLog<QuadLog10>>);
  }
  AddNumeric(out, "log", {kNumeric, kNumeric}, BinaryNumeric<NumericLogOf>);
  for (const std::string_view name : {"power", "pow", "^"}) {
    Add(out, name, {kDouble, kDouble}, DataType::Of(kDouble), BinaryDouble<Power>);
    AddNumeric(out, name, {kNumeric, kNumeric}, BinaryNumeric<NumericPower>);
  }
  AddAngles(out);
  constexpr TypeId kInt = TypeId::kInt32;
  Add(out, "width_bucket", {kDouble, kDouble, kDouble, kInt}, DataType::Of(kInt), BucketKernel);
  Add(out, "width_bucket", {kNumeric, kNumeric, kNumeric, kInt}, DataType::Of(kInt),
      NumericBucketKernel);
}

}  // namespace millrace::internal
