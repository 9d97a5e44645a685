#pragma once

#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace {

/// Turns encoded rows (data/row_encoding.h) of one schema back into a batch.
class RowDecoder {
 public:
  explicit RowDecoder(SchemaPtr schema);

  /// `row` was made by this process from the same schema.
  void Add(std::string_view row);
  /// The rows since the last Finish or Clear.
  BatchPtr Finish();
  void Clear();
  size_t size() const { return rows_; }

 private:
  SchemaPtr schema_;
  std::vector<ColumnBuilder> builders_;
  size_t rows_ = 0;
};

}  // namespace millrace
