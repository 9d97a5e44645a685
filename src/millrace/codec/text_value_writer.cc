#include "millrace/codec/text_value_writer.h"

#include <algorithm>
#include <limits>

#include "millrace/base/check.h"
#include "millrace/codec/json_digits.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

RecordFailure FailureOf(ScanOutcome outcome) {
  switch (outcome) {
    case ScanOutcome::kOk:
      return {};
    case ScanOutcome::kOutOfRange:
      return ErrorCode::kRecordOutOfRange;
    case ScanOutcome::kInvalid:
      break;
  }
  return ErrorCode::kRecordTypeMismatch;
}

RecordFailure FailureOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kRecordInvalidText:
    case ErrorCode::kRecordInvalidTimestamp:
      return error.code();
    case ErrorCode::kNumericOutOfRange:
    case ErrorCode::kDatetimeOutOfRange:
      return ErrorCode::kRecordOutOfRange;
    default:
      return ErrorCode::kRecordTypeMismatch;
  }
}

/// Digits are read eight at a time: returns a copy with room behind it.
std::string_view Padded(std::string_view text, std::string& copy) {
  copy.assign(text);
  copy.append(json::kPaddingBytes, '\0');
  return std::string_view(copy).substr(0, text.size());
}

template <typename T>
RecordFailure AppendScanned(ScanOutcome outcome, const T& value, ColumnBuilder& builder) {
  const RecordFailure failure = FailureOf(outcome);
  if (!failure) {
    builder.AppendFixed(value);
  }
  return failure;
}

/// Scans with `scan(text, value)` and appends.
template <typename T, typename Scan>
RecordFailure AppendWith(Scan scan, std::string_view text, ColumnBuilder& builder) {
  T value{};
  const ScanOutcome outcome = scan(text, value);
  return AppendScanned(outcome, value, builder);
}

/// Reads plain digits with at most `scale` of them behind a point; false for any other form and
/// what might not fit.
bool ReadPlainNumeric(std::string_view text, const DataType& type, int64_t& value) {
  constexpr size_t kDigitsMax = std::numeric_limits<int64_t>::digits10;
  json::Cursor cursor{.at = text.data(), .end = text.data() + text.size()};
  const bool negative = cursor.Take('-');
  uint64_t digits = 0;
  const size_t whole = json::ReadDigits(cursor, digits);
  const bool has_point = cursor.Take('.');
  size_t fraction = has_point ? json::ReadDigits(cursor, digits) : 0;
  if (whole == 0 || has_point != (fraction != 0) || fraction > type.scale ||
      whole + type.scale > std::min(kDigitsMax, size_t{type.precision}) || !cursor.done()) {
    return false;
  }
  for (; fraction < type.scale; ++fraction) {
    digits *= 10;
  }
  value = static_cast<int64_t>(negative ? uint64_t{0} - digits : digits);
  return true;
}

RecordFailure AppendNumeric(std::string_view text, const DataType& type, ColumnBuilder& builder) {
  int64_t plain = 0;
  if (ReadPlainNumeric(text, type, plain)) {
    builder.AppendFixed(Int128{plain});
    return {};
  }
  Int128 value = 0;
  const ScanOutcome outcome = ScanNumeric(text, type.precision, type.scale, value);
  return AppendScanned(outcome, value, builder);
}

}  // namespace

TextValueWriter::TextValueWriter(const Schema& schema, TimestampReader timestamps)
    : timestamps_(std::move(timestamps)) {
  columns_.reserve(schema.size());
  for (const Field& field : schema.fields()) {
    columns_.push_back(
        {.builder = ColumnBuilder(field.type), .type = field.type, .nullable = field.nullable});
  }
}

void TextValueWriter::Begin(const BufferPtr& body, size_t rows_expected) {
  body_begin_ = reinterpret_cast<const char*>(body->data());
  for (Target& target : columns_) {
    target.builder.Reserve(rows_expected);
    if (target.type.is_variable()) {
      target.backing = target.builder.AddBacking(body);
    }
  }
}

RecordFailure TextValueWriter::AppendCopy(std::string_view text, size_t column) {
  Target& target = columns_[column];
  if (target.type.id == TypeId::kText) {
    target.builder.AppendText(text);
    return {};
  }
  return AppendValue(Padded(text, scratch_), target);
}

RecordFailure TextValueWriter::AppendNull(size_t column) {
  Target& target = columns_[column];
  if (!target.nullable) {
    return ErrorCode::kRecordMissingColumn;
  }
  target.builder.AppendNull();
  return {};
}

template <typename T>
RecordFailure TextValueWriter::AppendInteger(std::string_view text, ColumnBuilder& builder) {
  int64_t value = 0;
  if (!ReadPlainInteger(text, value)) {
    const ScanOutcome outcome =
        ScanInteger(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value);
    return AppendScanned(outcome, static_cast<T>(value), builder);
  }
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
    return ErrorCode::kRecordOutOfRange;
  }
  builder.AppendFixed(static_cast<T>(value));
  return {};
}

RecordFailure TextValueWriter::AppendValue(std::string_view text, Target& target) {
  ColumnBuilder& builder = target.builder;
  switch (target.type.id) {
    case TypeId::kBoolean: {
      bool value = false;
      const RecordFailure failure = FailureOf(ScanBoolean(text, value));
      if (!failure) {
        builder.AppendBool(value);
      }
      return failure;
    }
    case TypeId::kInt16:
      return AppendInteger<int16_t>(text, builder);
    case TypeId::kInt32:
      return AppendInteger<int32_t>(text, builder);
    case TypeId::kInt64:
      return AppendInteger<int64_t>(text, builder);
    case TypeId::kFloat32:
      return AppendWith<float>(ScanFloat, text, builder);
    case TypeId::kFloat64:
      return AppendWith<double>(ScanDouble, text, builder);
    case TypeId::kNumeric:
      return AppendNumeric(text, target.type, builder);
    case TypeId::kDate:
      return AppendWith<int32_t>(ScanDate, text, builder) ? ErrorCode::kRecordInvalidTimestamp
                                                          : RecordFailure();
    case TypeId::kTimestamp:
      return AppendWith<Micros>(ScanTimestamp, text, builder) ? ErrorCode::kRecordInvalidTimestamp
                                                              : RecordFailure();
    case TypeId::kTimestamptz:
      return AppendTimestamp(text, builder);
    case TypeId::kInterval:
      return AppendWith<Interval>(ScanInterval, text, builder);
    case TypeId::kUuid:
      return AppendWith<Uuid>(ScanUuid, text, builder);
    case TypeId::kBytea: {
      std::string bytes;
      const RecordFailure failure = FailureOf(ScanBytea(text, bytes));
      if (!failure) {
        builder.AppendText(bytes);
      }
      return failure;
    }
    case TypeId::kJsonb:
      return AppendJson(text, builder);
    case TypeId::kArray:
      return AppendArray(text, target);
    case TypeId::kText:
      break;
  }
  MR_CHECK(false, "type {}", static_cast<int>(target.type.id));
}

RecordFailure TextValueWriter::AppendTimestamp(std::string_view text, ColumnBuilder& builder) {
  Micros value = 0;
  if (timestamps_.Scan(text, value) != ScanOutcome::kOk) {
    return ErrorCode::kRecordInvalidTimestamp;
  }
  builder.AppendFixed(value);
  return {};
}

RecordFailure TextValueWriter::AppendArray(std::string_view text, Target& target) {
  std::string padded;
  const auto scan_timestamp = [&](std::string_view element) -> Result<Value> {
    Micros value = 0;
    if (timestamps_.Scan(Padded(element, padded), value) != ScanOutcome::kOk) {
      return Err(ErrorCode::kRecordInvalidTimestamp, "an element of an array");
    }
    return Value(value);
  };
  const bool has_timestamps = target.type.element == TypeId::kTimestamptz;
  const auto value = has_timestamps ? ParseArray(text, target.type, scan_timestamp)
                                    : ParseArray(text, target.type);
  if (!value) {
    return FailureOf(value.error());
  }
  target.builder.AppendText(value->Get<std::string>());
  return {};
}

RecordFailure TextValueWriter::AppendJson(std::string_view text, ColumnBuilder& builder) {
  constexpr size_t kDepthMax = 64;
  std::string canonical;
  if (const auto failure = AppendCanonicalJson(canonical, text, kDepthMax)) {
    return *failure;
  }
  builder.AppendText(canonical);
  return {};
}

void TextValueWriter::DropRow() {
  for (Target& target : columns_) {
    if (target.builder.size() > rows_) {
      target.builder.Truncate(rows_);
    }
  }
}

std::vector<Column> TextValueWriter::Finish() {
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (Target& target : columns_) {
    columns.push_back(target.builder.Finish());
  }
  rows_ = 0;
  return columns;
}

}  // namespace millrace
