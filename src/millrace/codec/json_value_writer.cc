#include "millrace/codec/json_value_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "millrace/base/check.h"
#include "millrace/data/array_value.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"

namespace millrace::json {

namespace {

/// What is wrong with a value whose first character does not fit its column.
Failure Mismatch(Cursor cursor, size_t depth_max) {
  const Failure failure = SkipValue(cursor, depth_max);
  return failure ? failure : Failure(ErrorCode::kRecordTypeMismatch);
}

uint64_t IntegerMax(const DataType& type) {
  return std::numeric_limits<uint64_t>::max() >> (65 - type.width() * 8);
}

/// The largest magnitude that the type holds and 64 bits do, in its last digit's units.
uint64_t NumericMax(const DataType& type) {
  constexpr uint8_t kDigitsMax = std::numeric_limits<uint64_t>::digits10 - 1;
  return type.id != TypeId::kNumeric
             ? 0
             : static_cast<uint64_t>(PowerOfTen(std::min(type.precision, kDigitsMax)) - 1);
}

template <typename T>
Failure AppendScanned(ScanOutcome outcome, const T& value, ColumnBuilder& builder) {
  if (outcome != ScanOutcome::kOk) {
    return outcome == ScanOutcome::kOutOfRange ? ErrorCode::kRecordOutOfRange
                                               : ErrorCode::kRecordTypeMismatch;
  }
  builder.AppendFixed(value);
  return {};
}

Failure AppendFloatText(std::string_view text, const DataType& type, ColumnBuilder& builder) {
  if (type.id == TypeId::kFloat32) {
    float value = 0;
    const ScanOutcome outcome = ScanFloat(text, value);
    return AppendScanned(outcome, value, builder);
  }
  double value = 0;
  const ScanOutcome outcome = ScanDouble(text, value);
  return AppendScanned(outcome, value, builder);
}

}  // namespace

ValueWriter::ValueWriter(const Schema& schema, TimestampReader timestamps,
                         std::span<const size_t> depths_max)
    : timestamps_(std::move(timestamps)) {
  columns_.reserve(schema.size());
  for (const Field& field : schema.fields()) {
    columns_.push_back({.builder = ColumnBuilder(field.type),
                        .type = field.type,
                        .nullable = field.nullable,
                        .integer_max = field.type.is_integer() ? IntegerMax(field.type) : 0,
                        .numeric_max = NumericMax(field.type),
                        .depth_max = depths_max[columns_.size()]});
    if (field.type.is_array()) {
      const Schema elements({{.name = "element", .type = field.type.element_type()}});
      columns_.back().elements = std::make_unique<ValueWriter>(
          elements, timestamps_, std::span(&columns_.back().depth_max, 1));
    }
  }
}

void ValueWriter::Begin(const BufferPtr& body, size_t rows_expected) {
  body_ = body;
  body_begin_ = reinterpret_cast<const char*>(body->data());
  for (Target& target : columns_) {
    target.builder.Reserve(rows_expected);
    if (target.type.is_variable()) {
      target.backing = target.builder.AddBacking(body);
    }
  }
}

void ValueWriter::DropRow() {
  for (Target& target : columns_) {
    if (target.builder.size() > rows_) {
      target.builder.Truncate(rows_);
    }
  }
}

std::vector<Column> ValueWriter::Finish() {
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (Target& target : columns_) {
    target.builder.AppendNulls(rows_ - target.builder.size());
    columns.push_back(target.builder.Finish());
  }
  rows_ = 0;
  body_ = nullptr;
  return columns;
}

Failure ValueWriter::AppendAny(Cursor& cursor, Target& target) {
  if (cursor.Peek() == 'n') {
    return AppendNullWord(cursor, target);
  }
  switch (target.type.id) {
    case TypeId::kBoolean:
      return AppendBoolean(cursor, target);
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      return RefuseInteger(cursor, target);
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
    case TypeId::kTimestamp:
    case TypeId::kUuid:
      return AppendFromString(cursor, target);
    case TypeId::kJsonb:
      return AppendJsonb(cursor, target);
    case TypeId::kArray:
      return AppendArray(cursor, target);
  }
  MR_CHECK(false, "type {}", static_cast<int>(target.type.id));
}

Failure ValueWriter::AppendNullWord(Cursor& cursor, const Target& target) {
  if (const Failure failure = ScanWord(cursor, "null")) {
    return failure;
  }
  return target.nullable ? Failure() : ErrorCode::kRecordMissingColumn;
}

Failure ValueWriter::AppendBoolean(Cursor& cursor, Target& target) {
  const char first = cursor.Peek();
  if (first != 't' && first != 'f') {
    return Mismatch(cursor, target.depth_max);
  }
  const Failure failure = ScanWord(cursor, first == 't' ? "true" : "false");
  if (!failure) {
    target.builder.AppendBool(first == 't');
  }
  return failure;
}

Failure ValueWriter::RefuseInteger(Cursor& cursor, const Target& target) {
  const Cursor begin = cursor;
  cursor.Take('-');
  const bool zero = cursor.Peek() == '0';
  uint64_t ignored = 0;
  const size_t digits = ReadDigits(cursor, ignored);
  if (digits == 0 || (zero && digits > 1) || ContinuesNumber(cursor.Peek())) {
    return Mismatch(begin, target.depth_max);
  }
  return ErrorCode::kRecordOutOfRange;
}

Failure ValueWriter::AppendFloat(Cursor& cursor, Target& target) {
  if (cursor.Peek() == '"') {
    std::string_view text;
    if (const Failure failure = ReadString(cursor, text)) {
      return failure;
    }
    if (text != "NaN" && text != "Infinity" && text != "-Infinity") {
      return ErrorCode::kRecordTypeMismatch;
    }
    return AppendFloatText(text, target.type, target.builder);
  }
  if (!IsDigit(cursor.Peek()) && cursor.Peek() != '-') {
    return Mismatch(cursor, target.depth_max);
  }
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  return AppendFloatText(number.text, target.type, target.builder);
}

Failure ValueWriter::AppendNumeric(Cursor& cursor, Target& target) {
  if (!IsDigit(cursor.Peek()) && cursor.Peek() != '-') {
    return Mismatch(cursor, target.depth_max);
  }
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  Int128 value = 0;
  const ScanOutcome outcome =
      ScanNumeric(number.text, target.type.precision, target.type.scale, value);
  return AppendScanned(outcome, value, target.builder);
}

Failure ValueWriter::AppendTimestamp(Cursor& cursor, Target& target) {
  if (timestamps_.takes_numbers()) {
    return AppendNumberTimestamp(cursor, target);
  }
  if (cursor.Peek() != '"') {
    return Mismatch(cursor, target.depth_max);
  }
  std::string_view text;
  if (const Failure failure = ReadString(cursor, text)) {
    return failure;
  }
  Micros value = 0;
  if (timestamps_.Scan(text, value) != ScanOutcome::kOk) {
    return ErrorCode::kRecordInvalidTimestamp;
  }
  target.builder.AppendFixed(value);
  return {};
}

Failure ValueWriter::AppendNumberTimestamp(Cursor& cursor, Target& target) {
  if (!IsDigit(cursor.Peek()) && cursor.Peek() != '-') {
    return Mismatch(cursor, target.depth_max);
  }
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  Micros value = 0;
  if (timestamps_.Scan(number.text, value) != ScanOutcome::kOk) {
    return ErrorCode::kRecordInvalidTimestamp;
  }
  target.builder.AppendFixed(value);
  return {};
}

Failure ValueWriter::AppendText(Cursor& cursor, Target& target) {
  if (cursor.Peek() != '"') {
    return Mismatch(cursor, target.depth_max);
  }
  unescaped_.clear();
  if (const Failure failure = ReadText(cursor, unescaped_)) {
    return failure;
  }
  target.builder.AppendText(unescaped_);
  return {};
}

Failure ValueWriter::ReadString(Cursor& cursor, std::string_view& text) {
  RawString string;
  if (const Failure failure = ScanString(cursor, string)) {
    return failure;
  }
  text = string.text;
  if (string.has_escapes) {
    unescaped_.clear();
    if (const Failure failure = Unescape(string.text, unescaped_)) {
      return failure;
    }
    text = unescaped_;
  }
  return {};
}

Failure ValueWriter::AppendFromString(Cursor& cursor, Target& target) {
  if (cursor.Peek() != '"') {
    return Mismatch(cursor, target.depth_max);
  }
  std::string_view text;
  if (const Failure failure = ReadString(cursor, text)) {
    return failure;
  }
  if (target.type.id == TypeId::kDate) {
    int32_t days = 0;
    if (ScanDate(text, days) != ScanOutcome::kOk) {
      return ErrorCode::kRecordInvalidTimestamp;
    }
    target.builder.AppendFixed(days);
    return {};
  }
  if (target.type.id == TypeId::kTimestamp) {
    Micros value = 0;
    if (ScanTimestamp(text, value) != ScanOutcome::kOk) {
      return ErrorCode::kRecordInvalidTimestamp;
    }
    target.builder.AppendFixed(value);
    return {};
  }
  if (target.type.id == TypeId::kInterval) {
    Interval value;
    const ScanOutcome outcome = ScanInterval(text, value);
    return AppendScanned(outcome, value, target.builder);
  }
  if (target.type.id == TypeId::kUuid) {
    Uuid value{};
    const ScanOutcome outcome = ScanUuid(text, value);
    return AppendScanned(outcome, value, target.builder);
  }
  std::string bytes;
  if (ScanBytea(text, bytes) != ScanOutcome::kOk) {
    return ErrorCode::kRecordTypeMismatch;
  }
  target.builder.AppendText(bytes);
  return {};
}

Failure ValueWriter::AppendJsonb(Cursor& cursor, Target& target) {
  const char* const begin = cursor.at;
  if (const Failure failure = SkipValue(cursor, target.depth_max)) {
    return failure;
  }
  const std::string_view raw(begin, static_cast<size_t>(cursor.at - begin));
  unescaped_.clear();
  if (const auto failure = AppendCanonicalJson(unescaped_, raw, target.depth_max)) {
    return *failure;
  }
  if (raw == unescaped_) {
    AppendInBody(raw, target);
  } else {
    target.builder.AppendText(unescaped_);
  }
  return {};
}

Failure ValueWriter::AppendArray(Cursor& cursor, Target& target) {
  if (cursor.Peek() != '[') {
    return Mismatch(cursor, target.depth_max);
  }
  target.elements->Begin(body_, 0);
  const Failure failure = target.elements->AppendElements(cursor);
  const Column elements = std::move(target.elements->Finish().front());
  if (failure) {
    return failure;
  }
  unescaped_.clear();
  millrace::AppendElements(elements, unescaped_);
  target.builder.AppendText(unescaped_);
  return {};
}

/// Reads an array, each of whose elements becomes a row.
Failure ValueWriter::AppendElements(Cursor& cursor) {
  cursor.Take('[');
  SkipSpace(cursor);
  if (cursor.Take(']')) {
    return {};
  }
  while (true) {
    SkipSpace(cursor);
    if (const Failure failure = Append(cursor, 0)) {
      DropRow();
      return failure;
    }
    EndRow();
    SkipSpace(cursor);
    if (cursor.Take(']')) {
      return {};
    }
    if (!cursor.Take(',')) {
      return ErrorCode::kRecordSyntax;
    }
  }
}

Failure ValueWriter::AppendJson(std::string_view json, size_t column) {
  unescaped_.clear();
  Target& target = columns_[column];
  if (const auto failure = AppendCanonicalJson(unescaped_, json, target.depth_max + 1)) {
    return *failure;
  }
  target.builder.AppendNulls(rows_ - target.builder.size());
  target.builder.AppendText(unescaped_);
  return {};
}

}  // namespace millrace::json
