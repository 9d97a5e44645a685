#pragma once

#include "millrace/base/check.h"
#include "millrace/data/column.h"

namespace millrace {

/// Calls `visit` with the column's values as their C++ type.
template <typename Visit>
void WithValues(const Column& column, Visit visit) {
  switch (column.type().id) {
    case TypeId::kInt16:
      return visit(column.Values<int16_t>());
    case TypeId::kInt32:
    case TypeId::kDate:
      return visit(column.Values<int32_t>());
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return visit(column.Values<int64_t>());
    case TypeId::kFloat32:
      return visit(column.Values<float>());
    case TypeId::kFloat64:
      return visit(column.Values<double>());
    case TypeId::kNumeric:
      return visit(column.Values<Int128>());
    case TypeId::kInterval:
      return visit(column.Values<Interval>());
    default:
      MR_CHECK(false, "no accumulator for {}", column.type().ToString());
  }
}

}  // namespace millrace
