#include "millrace/expr/numeric_type.h"

#include <algorithm>

namespace millrace {

namespace {

constexpr int kDigitsMax = DataType::kNumericPrecisionMax;
constexpr int kDivisionScale = 16;  // PostgreSQL's NUMERIC_MIN_SIG_DIGITS.

DataType Fit(int integer_digits, int scale, int scale_min) {
  if (integer_digits + scale > kDigitsMax) {
    scale = std::max(kDigitsMax - integer_digits, scale_min);
  }
  scale = std::min(scale, kDigitsMax);
  const int precision = std::clamp(integer_digits + scale, 1, kDigitsMax);
  return DataType::Numeric(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

int IntegerDigits(const DataType& type) { return type.precision - type.scale; }

}  // namespace

DataType NumericTypeOf(const DataType& type) {
  switch (type.id) {
    case TypeId::kInt16:
      return DataType::Numeric(5, 0);
    case TypeId::kInt32:
      return DataType::Numeric(10, 0);
    case TypeId::kInt64:
      return DataType::Numeric(19, 0);
    case TypeId::kNumeric:
      return type;
    default:
      return DataType::Numeric();
  }
}

DataType AddType(std::span<const DataType> arguments) {
  const DataType& a = arguments[0];
  const DataType& b = arguments[1];
  const int scale = std::max(a.scale, b.scale);
  return Fit(std::max(IntegerDigits(a), IntegerDigits(b)) + 1, scale, scale);
}

DataType MultiplyType(std::span<const DataType> arguments) {
  const DataType& a = arguments[0];
  const DataType& b = arguments[1];
  return Fit(IntegerDigits(a) + IntegerDigits(b), a.scale + b.scale, std::max(a.scale, b.scale));
}

DataType DivideType(std::span<const DataType> arguments) {
  const DataType& a = arguments[0];
  const DataType& b = arguments[1];
  const int scale = std::max<int>({kDivisionScale, a.scale, b.scale});
  return Fit(IntegerDigits(a) + b.scale, scale, scale);
}

DataType ModuloType(std::span<const DataType> arguments) {
  const DataType& a = arguments[0];
  const DataType& b = arguments[1];
  const int scale = std::max(a.scale, b.scale);
  return Fit(std::max(IntegerDigits(a), IntegerDigits(b)), scale, scale);
}

DataType UnionType(const DataType& a, const DataType& b) {
  const int scale = std::max(a.scale, b.scale);
  return Fit(std::max(IntegerDigits(a), IntegerDigits(b)), scale, scale);
}

}  // namespace millrace
