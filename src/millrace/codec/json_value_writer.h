#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/codec/json_digits.h"
#include "millrace/codec/json_scan.h"
#include "millrace/codec/timestamp_reader.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace::json {

/// The columns under construction: reads one JSON value at a time into the column it is for.
/// Not thread-safe; owned by a decoder.
class ValueWriter {
 public:
  /// `depths_max`: by column, levels of arrays and objects within its value.
  ValueWriter(const Schema& schema, TimestampReader timestamps, std::span<const size_t> depths_max);

  /// Texts may refer to `body` from now on, until Finish.
  void Begin(const BufferPtr& body, size_t rows_expected);

  /// Reads the value at the cursor and appends it to `column`; null appends nothing. On failure the
  /// column may or may not have one more row.
  ///
  /// The usual forms of the usual types are read right here, so that the cursor stays in registers:
  /// stored and loaded between calls it costs five cycles each time.
  [[gnu::always_inline]] Failure Append(Cursor& cursor, size_t column) {
    Target& target = columns_[column];
    if (target.builder.size() != rows_) [[unlikely]] {
      target.builder.AppendNulls(rows_ - target.builder.size());
    }
    bool appended = false;
    switch (target.type.id) {
      case TypeId::kText:
        appended = AppendPlainText(cursor, target);
        break;
      case TypeId::kInt16:
      case TypeId::kInt32:
      case TypeId::kInt64:
        appended = AppendInteger(cursor, target);
        break;
      case TypeId::kNumeric:
        appended = AppendShortNumeric(cursor, target);
        break;
      case TypeId::kTimestamptz:
        appended = AppendTimestampOfLastDate(cursor, target);
        break;
      default:
        break;
    }
    if (appended) [[likely]] {
      return {};
    }
    Cursor copy = cursor;
    const Failure failure = AppendAny(copy, target);
    cursor = copy;
    return failure;
  }

  /// Appends JSON text that is not in the body to a jsonb column.
  Failure AppendJson(std::string_view json, size_t column);

  bool nullable(size_t column) const { return columns_[column].nullable; }

  /// The row is whole: columns without a value are NULL. They catch up when it pays.
  void EndRow() { ++rows_; }
  /// Drops what there is of the row.
  void DropRow();
  std::vector<Column> Finish();

 private:
  struct Target {
    ColumnBuilder builder;
    DataType type;
    bool nullable;
    uint64_t integer_max = 0;
    uint64_t numeric_max = 0;
    size_t depth_max = 0;
    uint32_t backing = 0;
    std::unique_ptr<ValueWriter> elements;  ///< Of an array: one column.
  };

  // Each of these appends the value at the cursor if it has its form; else nothing happens.
  bool AppendPlainText(Cursor& cursor, Target& target) const;
  static bool AppendInteger(Cursor& cursor, Target& target);
  static bool AppendShortNumeric(Cursor& cursor, Target& target);
  bool AppendTimestampOfLastDate(Cursor& cursor, Target& target) const;
  void AppendInBody(std::string_view text, Target& target) const;

  /// Any other value of any type.
  Failure AppendAny(Cursor& cursor, Target& target);
  static Failure AppendNullWord(Cursor& cursor, const Target& target);
  static Failure AppendBoolean(Cursor& cursor, Target& target);
  static Failure RefuseInteger(Cursor& cursor, const Target& target);
  Failure AppendFloat(Cursor& cursor, Target& target);
  static Failure AppendNumeric(Cursor& cursor, Target& target);
  Failure AppendTimestamp(Cursor& cursor, Target& target);
  Failure AppendNumberTimestamp(Cursor& cursor, Target& target);
  Failure AppendText(Cursor& cursor, Target& target);
  Failure AppendFromString(Cursor& cursor, Target& target);
  Failure AppendJsonb(Cursor& cursor, Target& target);
  Failure AppendArray(Cursor& cursor, Target& target);
  Failure AppendElements(Cursor& cursor);
  /// Reads a string and decodes its escapes; the result is valid until the next call.
  Failure ReadString(Cursor& cursor, std::string_view& text);

  std::vector<Target> columns_;
  size_t rows_ = 0;  ///< Whole ones.
  TimestampReader timestamps_;
  BufferPtr body_;
  const char* body_begin_ = nullptr;  ///< Texts in the body are references to here.
  std::string unescaped_;
};

inline void ValueWriter::AppendInBody(std::string_view text, Target& target) const {
  const auto size = static_cast<uint32_t>(text.size());
  target.builder.AppendFixed(
      size <= TextView::kInlineMax
          ? TextView::InlinePadded(text.data(), size)
          : TextView::Reference(text, target.backing,
                                static_cast<uint32_t>(text.data() - body_begin_)));
}

[[gnu::always_inline]] inline bool ValueWriter::AppendPlainText(Cursor& cursor,
                                                                Target& target) const {
  const char* const begin = cursor.at + 1;
  if (cursor.Peek() != '"') {
    return false;
  }
  const char* const stop = FindStringStop(begin, cursor.end);
  if (stop >= cursor.end || *stop != '"') {
    return false;
  }
  cursor.at = stop + 1;
  AppendInBody({begin, static_cast<size_t>(stop - begin)}, target);
  return true;
}

[[gnu::always_inline]] inline bool ValueWriter::AppendInteger(Cursor& cursor, Target& target) {
  constexpr size_t kDigitsMax = std::numeric_limits<uint64_t>::digits10;
  Cursor at = cursor;
  const bool negative = at.Take('-');
  const bool zero = at.Peek() == '0';
  uint64_t magnitude = 0;
  const size_t digits = ReadDigits(at, magnitude);
  if (digits - 1 >= kDigitsMax || (zero && digits > 1) || ContinuesNumber(at.Peek()) ||
      magnitude > target.integer_max + (negative ? 1 : 0)) [[unlikely]] {
    return false;
  }
  cursor = at;
  const auto value = static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
  if (target.type.id == TypeId::kInt64) {
    target.builder.AppendFixed(value);
  } else if (target.type.id == TypeId::kInt32) {
    target.builder.AppendFixed(static_cast<int32_t>(value));
  } else {
    target.builder.AppendFixed(static_cast<int16_t>(value));
  }
  return true;
}

[[gnu::always_inline]] inline bool ValueWriter::AppendShortNumeric(Cursor& cursor, Target& target) {
  constexpr size_t kDigitsMax = std::numeric_limits<uint64_t>::digits10 - 1;
  Cursor at = cursor;
  const bool negative = at.Take('-');
  const bool zero = at.Peek() == '0';
  uint64_t digits = 0;
  const size_t whole = ReadDigits(at, digits);
  const bool has_point = whole != 0 && at.Take('.');
  size_t fraction = has_point ? ReadDigits(at, digits) : 0;
  const size_t scale = target.type.scale;
  if (whole == 0 || (zero && whole > 1) || has_point != (fraction != 0) || fraction > scale ||
      whole + scale > kDigitsMax || ContinuesNumber(at.Peek())) [[unlikely]] {
    return false;
  }
  for (; fraction < scale; ++fraction) {
    digits *= 10;
  }
  if (digits > target.numeric_max) [[unlikely]] {
    return false;
  }
  cursor = at;
  target.builder.AppendFixed(negative ? -Int128{digits} : Int128{digits});
  return true;
}

[[gnu::always_inline]] inline bool ValueWriter::AppendTimestampOfLastDate(Cursor& cursor,
                                                                          Target& target) const {
  const char* const begin = cursor.at + 1;
  if (cursor.Peek() != '"') {
    return false;
  }
  const char* const stop = FindStringStop(begin, cursor.end);
  Micros value = 0;
  if (stop >= cursor.end || *stop != '"' ||
      !timestamps_.ScanOfLastDate({begin, static_cast<size_t>(stop - begin)}, value)) {
    return false;
  }
  cursor.at = stop + 1;
  target.builder.AppendFixed(value);
  return true;
}

}  // namespace millrace::json
