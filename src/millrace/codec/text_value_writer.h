#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/codec/record_failure.h"
#include "millrace/codec/timestamp_reader.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace {

/// Columns under construction from text: reads one value at a time, in PostgreSQL's text form of
/// its column's type. Not thread-safe; owned by a decoder.
class TextValueWriter {
 public:
  TextValueWriter(const Schema& schema, TimestampReader timestamps);

  /// Texts may lie in `body` from now on, until Finish. It has json::kPaddingBytes readable bytes
  /// behind its end.
  void Begin(const BufferPtr& body, size_t rows_expected);

  /// Appends valid text of the body to `column`. On failure nothing is appended. Codes:
  /// kRecordTypeMismatch, kRecordOutOfRange, kRecordInvalidTimestamp, and those of jsonb.
  RecordFailure Append(std::string_view text, size_t column);
  /// As above, for text that lies elsewhere and is copied.
  RecordFailure AppendCopy(std::string_view text, size_t column);
  /// kRecordMissingColumn for a NOT NULL column.
  RecordFailure AppendNull(size_t column);

  bool is_text(size_t column) const { return columns_[column].type.id == TypeId::kText; }

  /// The row is whole.
  void EndRow() { ++rows_; }
  /// Drops what there is of the row.
  void DropRow();
  size_t rows() const { return rows_; }
  std::vector<Column> Finish();

 private:
  struct Target {
    ColumnBuilder builder;
    DataType type;
    bool nullable;
    uint32_t backing = 0;
  };

  RecordFailure AppendValue(std::string_view text, Target& target);
  RecordFailure AppendTimestamp(std::string_view text, ColumnBuilder& builder);
  static RecordFailure AppendJson(std::string_view text, ColumnBuilder& builder);

  std::vector<Target> columns_;
  size_t rows_ = 0;
  TimestampReader timestamps_;
  std::string scratch_;
};

}  // namespace millrace
