#pragma once

#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace {

/// Makes batches of rows that come encoded, in pieces, with their weights. Used by one thread.
class RowOutput {
 public:
  /// Batches are put at the end of `output`, which outlives it.
  RowOutput(SchemaPtr schema, std::vector<BatchPtr>& output);

  /// Adds the values of an encoded piece of the row, which belong into `columns`. Errors:
  /// kCorruption.
  Status AddPiece(std::string_view encoded, std::span<const size_t> columns);
  /// Fills `columns` with NULL.
  void AddNulls(std::span<const size_t> columns);
  /// Ends the row; `weight` is not 0.
  void EndRow(int32_t weight);

  size_t rows() const { return weights_.size(); }
  /// Returns the rows since the last batch as one; null when there is none.
  BatchPtr TakeBatch();
  /// Puts out what is left.
  void Finish();

 private:
  static constexpr size_t kBatchRows = 4096;

  const SchemaPtr schema_;
  std::vector<BatchPtr>& output_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int32_t> weights_;
  bool only_ones_ = true;
};

}  // namespace millrace
