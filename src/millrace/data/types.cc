#include "millrace/data/types.h"

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/data/text_view.h"

namespace millrace {

std::string DataType::ToString() const {
  switch (id) {
    case TypeId::kBoolean:
      return "boolean";
    case TypeId::kInt16:
      return "smallint";
    case TypeId::kInt32:
      return "integer";
    case TypeId::kInt64:
      return "bigint";
    case TypeId::kFloat32:
      return "real";
    case TypeId::kFloat64:
      return "double precision";
    case TypeId::kNumeric:
      return fmt::format("numeric({},{})", precision, scale);
    case TypeId::kText:
      return "text";
    case TypeId::kBytea:
      return "bytea";
    case TypeId::kDate:
      return "date";
    case TypeId::kTimestamp:
      return "timestamp";
    case TypeId::kTimestamptz:
      return "timestamptz";
    case TypeId::kInterval:
      return "interval";
    case TypeId::kUuid:
      return "uuid";
    case TypeId::kJsonb:
      return "jsonb";
    case TypeId::kArray:
      return element == TypeId{} ? "anyarray" : element_type().ToString() + "[]";
  }
  MR_CHECK(false, "type {}", static_cast<int>(id));
}

size_t DataType::width() const {
  switch (id) {
    case TypeId::kBoolean:
      return 0;
    case TypeId::kInt16:
      return sizeof(int16_t);
    case TypeId::kInt32:
    case TypeId::kFloat32:
    case TypeId::kDate:
      return sizeof(int32_t);
    case TypeId::kInt64:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return sizeof(int64_t);
    case TypeId::kNumeric:
    case TypeId::kInterval:
    case TypeId::kUuid:
      return sizeof(Int128);
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return sizeof(TextView);
  }
  MR_CHECK(false, "type {}", static_cast<int>(id));
}

Int128 IntervalOrder(const Interval& interval) {
  constexpr int64_t kDaysPerMonth = 30;
  const Int128 days = Int128{interval.months} * kDaysPerMonth + interval.days;
  return days * kMicrosPerDay + interval.micros;
}

}  // namespace millrace
