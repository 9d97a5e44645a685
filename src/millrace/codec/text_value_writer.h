#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/codec/json_digits.h"
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
  /// kRecordTypeMismatch, kRecordOutOfRange, kRecordInvalidTimestamp, and those of jsonb. The usual
  /// forms of the usual types are read right here.
  [[gnu::always_inline]] RecordFailure Append(std::string_view text, size_t column) {
    Target& target = columns_[column];
    switch (target.type.id) {
      case TypeId::kText:
        AppendInBody(text, target);
        return {};
      case TypeId::kInt64: {
        int64_t value = 0;
        if (ReadPlainInteger(text, value)) [[likely]] {
          target.builder.AppendFixed(value);
          return {};
        }
        break;
      }
      case TypeId::kTimestamptz: {
        Micros value = 0;
        if (timestamps_.ScanOfLastDate(text, value)) [[likely]] {
          target.builder.AppendFixed(value);
          return {};
        }
        break;
      }
      default:
        break;
    }
    return AppendValue(text, target);
  }
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

  /// Reads plain digits with perhaps a minus in front; false for any other form and what might not
  /// fit. Eight bytes behind the text are readable.
  static bool ReadPlainInteger(std::string_view text, int64_t& value) {
    constexpr size_t kDigitsMax = std::numeric_limits<int64_t>::digits10;
    json::Cursor cursor{.at = text.data(), .end = text.data() + text.size()};
    const bool negative = cursor.Take('-');
    uint64_t magnitude = 0;
    const size_t digits = json::ReadDigits(cursor, magnitude);
    value = static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
    return digits - 1 < kDigitsMax && cursor.done();
  }
  template <typename T>
  static RecordFailure AppendInteger(std::string_view text, ColumnBuilder& builder);
  void AppendInBody(std::string_view text, Target& target) const {
    const auto size = static_cast<uint32_t>(text.size());
    target.builder.AppendFixed(
        size <= TextView::kInlineMax
            ? TextView::InlinePadded(text.data(), size)
            : TextView::Reference(text, target.backing,
                                  static_cast<uint32_t>(text.data() - body_begin_)));
  }
  RecordFailure AppendValue(std::string_view text, Target& target);
  RecordFailure AppendTimestamp(std::string_view text, ColumnBuilder& builder);
  RecordFailure AppendArray(std::string_view text, Target& target);
  static RecordFailure AppendJson(std::string_view text, ColumnBuilder& builder);

  std::vector<Target> columns_;
  size_t rows_ = 0;
  TimestampReader timestamps_;
  const char* body_begin_ = nullptr;
  std::string scratch_;
};

}  // namespace millrace
