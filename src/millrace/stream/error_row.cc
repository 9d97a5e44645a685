#include "millrace/stream/error_row.h"

#include "millrace/data/column_builder.h"

namespace millrace {

SchemaPtr ErrorRowSchema() {
  static const SchemaPtr kSchema =
      MakeSchema({{.name = "time", .type = DataType::Of(TypeId::kTimestamptz), .nullable = false},
                  {.name = "code", .type = DataType::Of(TypeId::kInt32), .nullable = false},
                  {.name = "message", .type = DataType::Of(TypeId::kText), .nullable = false},
                  {.name = "operator", .type = DataType::Of(TypeId::kText), .nullable = false},
                  {.name = "partition", .type = DataType::Of(TypeId::kInt32)},
                  {.name = "offset", .type = DataType::Of(TypeId::kInt64)},
                  {.name = "weight", .type = DataType::Of(TypeId::kInt32), .nullable = false},
                  {.name = "record", .type = DataType::Of(TypeId::kBytea), .nullable = false}});
  return kSchema;
}

BatchPtr MakeErrorBatch(const std::vector<ErrorRow>& rows) {
  if (rows.empty()) {
    return nullptr;
  }
  const SchemaPtr schema = ErrorRowSchema();
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema->fields()) {
    builders.emplace_back(field.type);
  }
  for (const ErrorRow& row : rows) {
    size_t i = 0;
    builders[i++].AppendFixed(row.time);
    builders[i++].AppendFixed(static_cast<int32_t>(row.code));
    builders[i++].AppendText(row.message);
    builders[i++].AppendText(row.operator_name);
    if (row.partition) {
      builders[i++].AppendFixed(static_cast<int32_t>(*row.partition));
    } else {
      builders[i++].AppendNull();
    }
    if (row.offset) {
      builders[i++].AppendFixed(*row.offset);
    } else {
      builders[i++].AppendNull();
    }
    builders[i++].AppendFixed(row.weight);
    builders[i++].AppendText(row.record);
  }
  std::vector<Column> columns;
  columns.reserve(builders.size());
  for (ColumnBuilder& builder : builders) {
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema, std::move(columns), rows.size());
}

}  // namespace millrace
