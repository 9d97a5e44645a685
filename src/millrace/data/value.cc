#include "millrace/data/value.h"

#include "millrace/base/check.h"
#include "millrace/data/column.h"
#include "millrace/data/column_builder.h"

namespace millrace {

Value ValueAt(const Column& column, size_t row) {
  if (column.IsNull(row)) {
    return {};
  }
  switch (column.type().id) {
    case TypeId::kBoolean:
      return Value(column.Bool(row));
    case TypeId::kInt16:
      return Value(int64_t{column.Values<int16_t>()[row]});
    case TypeId::kInt32:
    case TypeId::kDate:
      return Value(int64_t{column.Values<int32_t>()[row]});
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return Value(column.Values<int64_t>()[row]);
    case TypeId::kFloat32:
      return Value(double{column.Values<float>()[row]});
    case TypeId::kFloat64:
      return Value(column.Values<double>()[row]);
    case TypeId::kNumeric:
      return Value(column.Values<Int128>()[row]);
    case TypeId::kInterval:
      return Value(column.Values<Interval>()[row]);
    case TypeId::kUuid:
      return Value(column.Values<Uuid>()[row]);
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return Value(std::string(column.Text(row)));
  }
  MR_CHECK(false, "type {}", static_cast<int>(column.type().id));
}

void AppendValue(ColumnBuilder& builder, const Value& value) {
  if (value.is_null()) {
    builder.AppendNull();
    return;
  }
  switch (builder.type().id) {
    case TypeId::kBoolean:
      return builder.AppendBool(value.Get<bool>());
    case TypeId::kInt16:
      return builder.AppendFixed(static_cast<int16_t>(value.Get<int64_t>()));
    case TypeId::kInt32:
    case TypeId::kDate:
      return builder.AppendFixed(static_cast<int32_t>(value.Get<int64_t>()));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kTimestamptz:
      return builder.AppendFixed(value.Get<int64_t>());
    case TypeId::kFloat32:
      return builder.AppendFixed(static_cast<float>(value.Get<double>()));
    case TypeId::kFloat64:
      return builder.AppendFixed(value.Get<double>());
    case TypeId::kNumeric:
      return builder.AppendFixed(value.Get<Int128>());
    case TypeId::kInterval:
      return builder.AppendFixed(value.Get<Interval>());
    case TypeId::kUuid:
      return builder.AppendFixed(value.Get<Uuid>());
    case TypeId::kText:
    case TypeId::kBytea:
    case TypeId::kJsonb:
    case TypeId::kArray:
      return builder.AppendText(value.Get<std::string>());
  }
}

}  // namespace millrace
