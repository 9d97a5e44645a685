#include "millrace/cli/column_type.h"

#include <charconv>

namespace millrace {

DataType JsonColumnType(std::string_view type) {
  constexpr std::string_view kNumeric = "numeric(";
  if (type == "timestamptz") {
    return DataType::Of(TypeId::kTimestamptz);
  }
  uint8_t precision = 0;
  uint8_t scale = 0;
  const char* const end = type.data() + type.size();
  if (type.starts_with(kNumeric)) {
    const auto read = std::from_chars(type.data() + kNumeric.size(), end, precision);
    if (read.ptr != end && *read.ptr == ',' &&
        std::from_chars(read.ptr + 1, end, scale).ec == std::errc() &&
        precision <= DataType::kNumericPrecisionMax && scale <= precision) {
      return DataType::Numeric(precision, scale);
    }
  }
  return DataType::Of(TypeId::kJsonb);
}

}  // namespace millrace
