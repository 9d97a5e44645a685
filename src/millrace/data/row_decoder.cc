#include "millrace/data/row_decoder.h"

#include <utility>

#include "millrace/data/row_encoding.h"

namespace millrace {

RowDecoder::RowDecoder(SchemaPtr schema) : schema_(std::move(schema)) {
  for (const Field& field : schema_->fields()) {
    builders_.emplace_back(field.type);
  }
}

void RowDecoder::Add(std::string_view row) {
  for (ColumnBuilder& builder : builders_) {
    const auto decoded = DecodeInto(&row, builder);
    MR_CHECK(decoded.has_value(), "a served row does not fit its schema");
  }
  ++rows_;
}

BatchPtr RowDecoder::Finish() {
  std::vector<Column> columns;
  columns.reserve(builders_.size());
  for (ColumnBuilder& builder : builders_) {
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema_, std::move(columns), std::exchange(rows_, 0));
}

void RowDecoder::Clear() {
  for (ColumnBuilder& builder : builders_) {
    builder.Truncate(0);
  }
  rows_ = 0;
}

}  // namespace millrace
