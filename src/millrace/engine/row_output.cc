#include "millrace/engine/row_output.h"

#include <utility>

#include "millrace/data/row_encoding.h"

namespace millrace {

RowOutput::RowOutput(SchemaPtr schema, std::vector<BatchPtr>& output)
    : schema_(std::move(schema)), output_(output) {
  for (const Field& field : schema_->fields()) {
    builders_.emplace_back(field.type);
  }
}

Status RowOutput::AddPiece(std::string_view encoded, std::span<const size_t> columns) {
  for (const size_t column : columns) {
    MR_TRY(DecodeInto(&encoded, builders_[column]));
  }
  return {};
}

void RowOutput::AddNulls(std::span<const size_t> columns) {
  for (const size_t column : columns) {
    builders_[column].AppendNull();
  }
}

void RowOutput::EndRow(int32_t weight) {
  weights_.push_back(weight);
  only_ones_ = only_ones_ && weight == 1;
  if (weights_.size() == kBatchRows) {
    Finish();
  }
}

BatchPtr RowOutput::TakeBatch() {
  const size_t rows = weights_.size();
  if (rows == 0) {
    return nullptr;
  }
  std::vector<Column> columns;
  columns.reserve(builders_.size());
  for (ColumnBuilder& builder : builders_) {
    columns.push_back(builder.Finish());
  }
  std::vector<int32_t> weights = std::exchange(weights_, {});
  const bool only_ones = std::exchange(only_ones_, true);
  return Batch::Make(schema_, std::move(columns), rows,
                     {.weights = only_ones ? nullptr : Buffer::Own(std::move(weights)),
                      .watermarks_before = nullptr,
                      .offsets = nullptr});
}

void RowOutput::Finish() {
  if (BatchPtr batch = TakeBatch()) {
    output_.push_back(std::move(batch));
  }
}

}  // namespace millrace
