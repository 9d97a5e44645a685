#include <cmath>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "millrace/expr/functions.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/expr/numeric_type.h"

namespace millrace::internal {

namespace {

enum class Operator : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kModulo };

void FailOutOfRange(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kNumericOutOfRange,
            fmt::format("{} out of range", call.type.ToString()));
}

void FailDivision(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kDivisionByZero, "division by zero");
}

template <Operator kOperator, typename T>
Checked<T> IntegerOperation(T a, T b) {
  Checked<T> result;
  if constexpr (kOperator == Operator::kAdd) {
    result.failed = __builtin_add_overflow(a, b, &result.value);
  } else if constexpr (kOperator == Operator::kSubtract) {
    result.failed = __builtin_sub_overflow(a, b, &result.value);
  } else if constexpr (kOperator == Operator::kMultiply) {
    result.failed = __builtin_mul_overflow(a, b, &result.value);
  } else if (b == 0) {
    result.failed = true;
  } else if (b == -1) {
    // The most negative value has no counterpart; its remainder is 0.
    result.failed = kOperator == Operator::kDivide && a == std::numeric_limits<T>::min();
    result.value = kOperator == Operator::kModulo || result.failed ? T{0} : static_cast<T>(-a);
  } else {
    result.value = static_cast<T>(kOperator == Operator::kDivide ? a / b : a % b);
  }
  return result;
}

template <Operator kOperator>
constexpr bool kDivides = kOperator == Operator::kDivide || kOperator == Operator::kModulo;

template <typename T, Operator kOperator>
Column IntegerKernel(const KernelCall& call) {
  return MapBinaryChecked<T, T, T>(call, IntegerOperation<kOperator, T>, [&](size_t row) {
    if (kDivides<kOperator> && call.argument(1).At<T>(row) == 0) {
      FailDivision(call, row);
    } else {
      FailOutOfRange(call, row);
    }
  });
}

template <Operator kOperator, typename T>
Checked<T> FloatOperation(T a, T b) {
  Checked<T> result;
  if constexpr (kOperator == Operator::kAdd) {
    result.value = a + b;
  } else if constexpr (kOperator == Operator::kSubtract) {
    result.value = a - b;
  } else if constexpr (kOperator == Operator::kMultiply) {
    result.value = a * b;
    result.failed = result.value == 0 && a != 0 && b != 0;
  } else {
    const bool by_zero = b == 0 && !std::isnan(a);
    result.value = by_zero ? T{0} : a / b;
    result.failed = by_zero || (result.value == 0 && a != 0 && !std::isinf(b));
  }
  result.failed |= std::isinf(result.value) && !std::isinf(a) && !std::isinf(b);
  return result;
}

template <typename T, Operator kOperator>
Column FloatKernel(const KernelCall& call) {
  return MapBinaryChecked<T, T, T>(call, FloatOperation<kOperator, T>, [&](size_t row) {
    if (kDivides<kOperator> && call.argument(1).At<T>(row) == 0) {
      FailDivision(call, row);
    } else {
      FailOutOfRange(call, row);
    }
  });
}

template <Operator kOperator>
Column NumericKernel(const KernelCall& call) {
  const uint8_t left = call.argument(0).column.type().scale;
  const uint8_t right = call.argument(1).column.type().scale;
  const DataType type = call.type;
  const auto operation = [left, right, type](Int128 a, Int128 b) -> Checked<Int128> {
    if (kDivides<kOperator> && b == 0) {
      return {.value = 0, .failed = true};
    }
    std::optional<Int128> value;
    if constexpr (kOperator == Operator::kAdd) {
      value = AddScaled(a, left, b, right, type.scale);
    } else if constexpr (kOperator == Operator::kSubtract) {
      value = AddScaled(a, left, -b, right, type.scale);
    } else if constexpr (kOperator == Operator::kMultiply) {
      value = MultiplyScaled(a, left, b, right, type.scale);
    } else if constexpr (kOperator == Operator::kDivide) {
      value = DivideScaled(a, left, b, right, type.scale);
    } else {
      value = ModuloScaled(a, left, b, right, type.scale);
    }
    const bool fits = value && FitsPrecision(*value, type.precision);
    return {.value = fits ? *value : 0, .failed = !fits};
  };
  return MapBinaryChecked<Int128, Int128, Int128>(call, operation, [&](size_t row) {
    if (kDivides<kOperator> && call.argument(1).At<Int128>(row) == 0) {
      FailDivision(call, row);
    } else {
      FailOutOfRange(call, row);
    }
  });
}

template <typename T>
Column NegateKernel(const KernelCall& call) {
  const auto negate = [](T value) -> Checked<T> {
    if constexpr (std::is_integral_v<T>) {
      return IntegerOperation<Operator::kSubtract, T>(T{0}, value);
    } else {
      return {.value = -value, .failed = false};
    }
  };
  return MapUnaryChecked<T, T>(call, negate, [&](size_t row) { FailOutOfRange(call, row); });
}

Column IdentityKernel(const KernelCall& call) { return call.argument(0).column; }

DataType SameType(std::span<const DataType> arguments) { return arguments[0]; }

void AddBinary(std::vector<ScalarFunction>& out, std::string_view name, TypeId type, Kernel kernel,
               ScalarFunction::ResultRule rule = SameType) {
  out.push_back({.name = name, .arguments = {type, type}, .kernel = kernel, .result_rule = rule});
}

void AddUnary(std::vector<ScalarFunction>& out, std::string_view name, TypeId type, Kernel kernel) {
  out.push_back({.name = name, .arguments = {type}, .kernel = kernel, .result_rule = SameType});
}

template <typename T>
void AddInteger(std::vector<ScalarFunction>& out, TypeId type) {
  AddBinary(out, "+", type, IntegerKernel<T, Operator::kAdd>);
  AddBinary(out, "-", type, IntegerKernel<T, Operator::kSubtract>);
  AddBinary(out, "*", type, IntegerKernel<T, Operator::kMultiply>);
  AddBinary(out, "/", type, IntegerKernel<T, Operator::kDivide>);
  AddBinary(out, "%", type, IntegerKernel<T, Operator::kModulo>);
  AddBinary(out, "mod", type, IntegerKernel<T, Operator::kModulo>);
  AddUnary(out, "-", type, NegateKernel<T>);
  AddUnary(out, "+", type, IdentityKernel);
}

template <typename T>
void AddFloat(std::vector<ScalarFunction>& out, TypeId type) {
  AddBinary(out, "+", type, FloatKernel<T, Operator::kAdd>);
  AddBinary(out, "-", type, FloatKernel<T, Operator::kSubtract>);
  AddBinary(out, "*", type, FloatKernel<T, Operator::kMultiply>);
  AddBinary(out, "/", type, FloatKernel<T, Operator::kDivide>);
  AddUnary(out, "-", type, NegateKernel<T>);
  AddUnary(out, "+", type, IdentityKernel);
}

}  // namespace

void AddArithmeticFunctions(std::vector<ScalarFunction>& out) {
  AddInteger<int16_t>(out, TypeId::kInt16);
  AddInteger<int32_t>(out, TypeId::kInt32);
  AddInteger<int64_t>(out, TypeId::kInt64);
  AddFloat<float>(out, TypeId::kFloat32);
  AddFloat<double>(out, TypeId::kFloat64);
  constexpr TypeId kNumeric = TypeId::kNumeric;
  AddBinary(out, "+", kNumeric, NumericKernel<Operator::kAdd>, AddType);
  AddBinary(out, "-", kNumeric, NumericKernel<Operator::kSubtract>, AddType);
  AddBinary(out, "*", kNumeric, NumericKernel<Operator::kMultiply>, MultiplyType);
  AddBinary(out, "/", kNumeric, NumericKernel<Operator::kDivide>, DivideType);
  AddBinary(out, "%", kNumeric, NumericKernel<Operator::kModulo>, ModuloType);
  AddBinary(out, "mod", kNumeric, NumericKernel<Operator::kModulo>, ModuloType);
  AddUnary(out, "-", kNumeric, NegateKernel<Int128>);
  AddUnary(out, "+", kNumeric, IdentityKernel);
}

}  // namespace millrace::internal
