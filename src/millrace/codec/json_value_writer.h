#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/base/check.h"
#include "millrace/codec/json_scan.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace::json {

/// The columns under construction: reads one JSON value at a time into the column it is for.
/// Not thread-safe; owned by a decoder.
class ValueWriter {
 public:
  /// `depth_max`: levels of arrays and objects within one value.
  ValueWriter(const Schema& schema, bool epoch_millis, size_t depth_max);

  /// Texts may refer to `body` from now on, until Finish.
  void Begin(const BufferPtr& body, size_t rows_expected);

  /// Reads the value at the cursor and appends it to `column`; null appends NULL. On failure the
  /// column may or may not have one more row.
  Failure Append(Cursor& cursor, size_t column) {
    Target& target = columns_[column];
    if (cursor.Peek() == 'n') [[unlikely]] {
      return AppendNullWord(cursor, target);
    }
    switch (target.type.id) {
      case TypeId::kBoolean:
        return AppendBoolean(cursor, target);
      case TypeId::kInt16:
      case TypeId::kInt32:
      case TypeId::kInt64:
        return AppendInteger(cursor, target);
      case TypeId::kFloat32:
      case TypeId::kFloat64:
        return AppendFloat(cursor, target);
      case TypeId::kNumeric:
        return AppendNumeric(cursor, target);
      case TypeId::kTimestamptz:
        return AppendTimestamp(cursor, target);
      case TypeId::kText:
        return AppendText(cursor, target);
      case TypeId::kBytea:
      case TypeId::kDate:
      case TypeId::kInterval:
      case TypeId::kUuid:
        return AppendFromString(cursor, target);
      case TypeId::kJsonb:
        return AppendJsonb(cursor, target);
    }
    MR_CHECK(false, "type {}", static_cast<int>(target.type.id));
  }

  void AppendNull(size_t column) { columns_[column].builder.AppendNull(); }
  /// Appends JSON text that is not in the body to a jsonb column.
  Failure AppendJson(std::string_view json, size_t column);

  bool nullable(size_t column) const { return columns_[column].nullable; }
  size_t size() const { return columns_.size(); }

  /// Drops all rows from `rows` on.
  void Truncate(size_t rows);
  std::vector<Column> Finish();

 private:
  struct Target {
    ColumnBuilder builder;
    DataType type;
    bool nullable;
    uint64_t integer_max = 0;
    uint32_t backing = 0;
  };
  /// The midnight of the date of the last timestamp, for the next one.
  struct LastDate {
    char text[16] = {};
    Micros midnight = 0;
  };

  Failure AppendNullWord(Cursor& cursor, Target& target);
  Failure AppendBoolean(Cursor& cursor, Target& target);
  Failure AppendInteger(Cursor& cursor, Target& target);
  Failure AppendFloat(Cursor& cursor, Target& target);
  Failure AppendNumeric(Cursor& cursor, Target& target);
  Failure AppendTimestamp(Cursor& cursor, Target& target);
  Failure AppendEpochMillis(Cursor& cursor, Target& target);
  Failure AppendText(Cursor& cursor, Target& target);
  Failure AppendFromString(Cursor& cursor, Target& target);
  Failure AppendJsonb(Cursor& cursor, Target& target);
  void AppendInBody(std::string_view text, Target& target);
  /// Reads a string and decodes its escapes; the result is valid until the next call.
  Failure ReadString(Cursor& cursor, std::string_view& text);
  bool ScanTimestampOfLastDate(std::string_view text, Micros& out) const;

  std::vector<Target> columns_;
  const bool epoch_millis_;
  const size_t depth_max_;
  const char* body_begin_ = nullptr;  ///< Texts in the body are references to here.
  LastDate last_date_;
  std::string unescaped_;
};

}  // namespace millrace::json
