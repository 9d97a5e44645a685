#pragma once

#include <memory>
#include <span>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/data/column.h"
#include "millrace/data/schema.h"

namespace millrace {

class Batch;
using BatchPtr = std::shared_ptr<const Batch>;

/// Rows as columns: what flows between operators and what streams store. Immutable once built;
/// shared by pointer, safe to read from many threads.
///
/// A batch is a Z-set: each row has a weight, any non-zero int32; without weights all are +1.
class Batch {
 public:
  /// Columns per row besides the schema's; each is either empty or has one value per row.
  struct RowExtras {
    /// Change weights, int32, none zero; null = all +1.
    BufferPtr weights;
    /// int64 microseconds per row: the running watermark of the row's source partition before the
    /// row, kMicrosMin before the first event (design section 6, "Time"). Null where no operator
    /// downstream asks for lateness.
    BufferPtr watermarks_before;
    /// int64 offsets in the source partition; null where no consumer asked for the origin.
    BufferPtr offsets;
  };

  /// `columns` must fit `schema`: same count and types, `rows` values each.
  static BatchPtr Make(SchemaPtr schema, std::vector<Column> columns, size_t rows,
                       RowExtras extras = {});

  const Schema& schema() const { return *schema_; }
  const SchemaPtr& schema_ptr() const { return schema_; }
  size_t rows() const { return rows_; }
  const std::vector<Column>& columns() const { return columns_; }
  const Column& column(size_t index) const { return columns_[index]; }

  bool has_weights() const { return extras_.weights != nullptr; }
  int32_t Weight(size_t row) const { return has_weights() ? weights()[row] : 1; }
  /// Empty when all weights are +1.
  std::span<const int32_t> weights() const { return Extra<int32_t>(extras_.weights); }
  std::span<const Micros> watermarks_before() const {
    return Extra<Micros>(extras_.watermarks_before);
  }
  std::span<const int64_t> offsets() const { return Extra<int64_t>(extras_.offsets); }
  const RowExtras& extras() const { return extras_; }

  size_t MemoryBytes() const;

  Batch(SchemaPtr schema, std::vector<Column> columns, size_t rows, RowExtras extras);

 private:
  template <typename T>
  std::span<const T> Extra(const BufferPtr& buffer) const {
    return buffer == nullptr ? std::span<const T>{} : buffer->As<T>().first(rows_);
  }

  SchemaPtr schema_;
  std::vector<Column> columns_;
  size_t rows_;
  RowExtras extras_;
};

/// Returns the named rows of `batch` with all extras, sharing text buffers.
BatchPtr GatherRows(const Batch& batch, std::span<const uint32_t> rows);

/// Returns `batch` cut into pieces of at most `rows_max` rows, sharing all buffers.
std::vector<BatchPtr> SplitBatch(const BatchPtr& batch, size_t rows_max);

/// Returns `batch` without weights, watermarks and offsets.
BatchPtr WithoutExtras(const BatchPtr& batch);

/// Returns the rows of `batches` one after the other; all have one schema. Text buffers are shared.
/// An extra is kept when any input has it (missing weights are +1; the other two must be in all).
BatchPtr Concatenate(std::span<const BatchPtr> batches);

}  // namespace millrace
