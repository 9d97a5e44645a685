#include "millrace/data/batch.h"

#include <algorithm>
#include <numeric>

#include "millrace/base/check.h"
#include "millrace/data/column_builder.h"

namespace millrace {

BatchPtr Batch::Make(SchemaPtr schema, std::vector<Column> columns, size_t rows, RowExtras extras) {
  return std::make_shared<const Batch>(std::move(schema), std::move(columns), rows,
                                       std::move(extras));
}

Batch::Batch(SchemaPtr schema, std::vector<Column> columns, size_t rows, RowExtras extras)
    : schema_(std::move(schema)),
      columns_(std::move(columns)),
      rows_(rows),
      extras_(std::move(extras)) {
  MR_CHECK(columns_.size() == schema_->size(), "{} columns for {} fields", columns_.size(),
           schema_->size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    MR_CHECK(columns_[i].type() == schema_->field(i).type && columns_[i].size() == rows,
             "column {} is {} x {}", schema_->field(i).name, columns_[i].size(),
             columns_[i].type().ToString());
  }
}

size_t Batch::MemoryBytes() const {
  size_t bytes = 0;
  for (const Column& column : columns_) {
    bytes += column.MemoryBytes();
  }
  for (const BufferPtr& extra : {extras_.weights, extras_.watermarks_before, extras_.offsets}) {
    bytes += extra == nullptr ? 0 : extra->size();
  }
  return bytes;
}

namespace {

template <typename T>
BufferPtr GatherExtra(std::span<const T> values, std::span<const uint32_t> rows) {
  if (values.empty()) {
    return nullptr;
  }
  std::vector<T> out(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    out[i] = values[rows[i]];
  }
  return Buffer::Own(std::move(out));
}

template <typename T>
BufferPtr ConcatenateExtra(std::span<const BatchPtr> batches,
                           std::span<const T> (Batch::*get)() const, size_t rows, T missing) {
  bool any = false;
  std::vector<T> out;
  out.reserve(rows);
  for (const BatchPtr& batch : batches) {
    const std::span<const T> values = ((*batch).*get)();
    any = any || !values.empty();
    if (values.empty()) {
      out.insert(out.end(), batch->rows(), missing);
    } else {
      out.insert(out.end(), values.begin(), values.end());
    }
  }
  return any ? Buffer::Own(std::move(out)) : nullptr;
}

}  // namespace

BatchPtr GatherRows(const Batch& batch, std::span<const uint32_t> rows) {
  std::vector<Column> columns;
  columns.reserve(batch.columns().size());
  for (const Column& column : batch.columns()) {
    columns.push_back(Gather(column, rows));
  }
  return Batch::Make(batch.schema_ptr(), std::move(columns), rows.size(),
                     {.weights = GatherExtra(batch.weights(), rows),
                      .watermarks_before = GatherExtra(batch.watermarks_before(), rows),
                      .offsets = GatherExtra(batch.offsets(), rows)});
}

std::vector<BatchPtr> SplitBatch(const BatchPtr& batch, size_t rows_max) {
  if (batch->rows() <= rows_max) {
    return {batch};
  }
  std::vector<BatchPtr> pieces;
  for (size_t from = 0; from < batch->rows(); from += rows_max) {
    std::vector<uint32_t> rows(std::min(rows_max, batch->rows() - from));
    std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(from));
    pieces.push_back(GatherRows(*batch, rows));
  }
  return pieces;
}

BatchPtr WithoutExtras(const BatchPtr& batch) {
  return Batch::Make(batch->schema_ptr(), batch->columns(), batch->rows());
}

BatchPtr Concatenate(std::span<const BatchPtr> batches) {
  MR_CHECK(!batches.empty());
  if (batches.size() == 1) {
    return batches.front();
  }
  size_t rows = 0;
  for (const BatchPtr& batch : batches) {
    rows += batch->rows();
  }
  const SchemaPtr& schema = batches.front()->schema_ptr();
  std::vector<Column> columns;
  columns.reserve(schema->size());
  for (size_t i = 0; i < schema->size(); ++i) {
    ColumnBuilder builder(schema->field(i).type);
    for (const BatchPtr& batch : batches) {
      builder.AppendColumn(batch->column(i));
    }
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema, std::move(columns), rows,
                     {.weights = ConcatenateExtra<int32_t>(batches, &Batch::weights, rows, 1),
                      .watermarks_before = ConcatenateExtra<Micros>(
                          batches, &Batch::watermarks_before, rows, kMicrosMin),
                      .offsets = ConcatenateExtra<int64_t>(batches, &Batch::offsets, rows, 0)});
}

}  // namespace millrace
