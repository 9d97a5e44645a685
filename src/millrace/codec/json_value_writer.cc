#include "millrace/codec/json_value_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "millrace/base/check.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_format.h"

namespace millrace::json {

namespace {

/// What is wrong with a value whose first character does not fit its column.
Failure Mismatch(Cursor cursor, size_t depth_max) {
  const Failure failure = SkipValue(cursor, depth_max);
  return failure ? failure : Failure(ErrorCode::kRecordTypeMismatch);
}

constexpr uint64_t kZeros = 0x3030303030303030;

/// How many of eight characters, from the lowest byte on, are digits.
size_t LeadingDigits(uint64_t word) {
  constexpr uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
  const uint64_t others =
      ((word & kHigh) | (((word + 0x0606060606060606) & kHigh) >> 4)) ^ 0x3333333333333333;
  return others == 0 ? 8 : static_cast<size_t>(std::countr_zero(others)) / 8;
}

/// The value of eight digits 0..9, one a byte, the first in the lowest (D. Lemire, "Quickly parsing
/// eight digits", 2018).
uint64_t EightDigits(uint64_t digits) {
  digits = (digits * 10) + (digits >> 8);
  constexpr uint64_t kMask = 0x000000FF000000FF;
  return (((digits & kMask) * 0x000F424000000064) +
          (((digits >> 16) & kMask) * 0x0000271000000001)) >>
         32;
}

/// Reads the decimal digits at the cursor into `value`; returns their count. `value` has wrapped
/// when they are more than 19.
size_t ReadDigits(Cursor& cursor, uint64_t& value) {
  constexpr std::array<uint64_t, 9> kPowers = {1,       10,        100,        1'000,      10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000};
  const char* at = cursor.at;
  size_t digits = 8;
  while (digits == 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    digits = std::min(LeadingDigits(word), static_cast<size_t>(cursor.end - at));
    if (digits == 0) {
      break;
    }
    value = value * kPowers[digits] + EightDigits((word ^ kZeros) << (8 * (8 - digits)));
    at += digits;
  }
  const auto count = static_cast<size_t>(at - cursor.at);
  cursor.at = at;
  return count;
}

uint64_t IntegerMax(const DataType& type) {
  return std::numeric_limits<uint64_t>::max() >> (65 - type.width() * 8);
}

bool ContinuesNumber(char c) { return c == '.' || c == 'e' || c == 'E'; }

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

ValueWriter::ValueWriter(const Schema& schema, bool epoch_millis, size_t depth_max)
    : epoch_millis_(epoch_millis), depth_max_(depth_max) {
  columns_.reserve(schema.size());
  for (const Field& field : schema.fields()) {
    columns_.push_back({.builder = ColumnBuilder(field.type),
                        .type = field.type,
                        .nullable = field.nullable,
                        .integer_max = field.type.is_integer() ? IntegerMax(field.type) : 0});
  }
}

void ValueWriter::Begin(const BufferPtr& body, size_t rows_expected) {
  body_begin_ = reinterpret_cast<const char*>(body->data());
  for (Target& target : columns_) {
    target.builder.Reserve(rows_expected);
    if (target.type.is_variable()) {
      target.backing = target.builder.AddBacking(body);
    }
  }
}

void ValueWriter::Truncate(size_t rows) {
  for (Target& target : columns_) {
    if (target.builder.size() > rows) {
      target.builder.Truncate(rows);
    }
  }
}

std::vector<Column> ValueWriter::Finish() {
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  for (Target& target : columns_) {
    columns.push_back(target.builder.Finish());
  }
  return columns;
}

Failure ValueWriter::AppendNullWord(Cursor& cursor, Target& target) {
  if (const Failure failure = ScanWord(cursor, "null")) {
    return failure;
  }
  if (!target.nullable) {
    return ErrorCode::kRecordMissingColumn;
  }
  target.builder.AppendNull();
  return {};
}

Failure ValueWriter::AppendBoolean(Cursor& cursor, Target& target) {
  const char first = cursor.Peek();
  if (first != 't' && first != 'f') {
    return Mismatch(cursor, depth_max_);
  }
  const Failure failure = ScanWord(cursor, first == 't' ? "true" : "false");
  if (!failure) {
    target.builder.AppendBool(first == 't');
  }
  return failure;
}

Failure ValueWriter::AppendInteger(Cursor& cursor, Target& target) {
  constexpr size_t kDigitsMax = std::numeric_limits<uint64_t>::digits10;
  const Cursor begin = cursor;
  const bool negative = cursor.Take('-');
  const bool zero = cursor.Peek() == '0';
  uint64_t magnitude = 0;
  const size_t digits = ReadDigits(cursor, magnitude);
  if (digits == 0 || (zero && digits > 1) || ContinuesNumber(cursor.Peek())) {
    return Mismatch(begin, depth_max_);
  }
  const uint64_t limit = target.integer_max + (negative ? 1 : 0);
  if (digits > kDigitsMax || magnitude > limit) {
    return ErrorCode::kRecordOutOfRange;
  }
  const auto value = static_cast<int64_t>(negative ? uint64_t{0} - magnitude : magnitude);
  if (target.type.id == TypeId::kInt64) {
    target.builder.AppendFixed(value);
  } else if (target.type.id == TypeId::kInt32) {
    target.builder.AppendFixed(static_cast<int32_t>(value));
  } else {
    target.builder.AppendFixed(static_cast<int16_t>(value));
  }
  return {};
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
    return Mismatch(cursor, depth_max_);
  }
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  return AppendFloatText(number.text, target.type, target.builder);
}

Failure ValueWriter::AppendNumeric(Cursor& cursor, Target& target) {
  constexpr size_t kFastDigitsMax = 18;
  const Cursor begin = cursor;
  const auto [id, precision, scale] = target.type;
  const bool negative = cursor.Take('-');
  const bool zero = cursor.Peek() == '0';
  uint64_t digits = 0;
  const size_t whole = ReadDigits(cursor, digits);
  const bool has_point = whole != 0 && cursor.Take('.');
  const size_t fraction = has_point ? ReadDigits(cursor, digits) : 0;
  const bool common = whole != 0 && (!zero || whole == 1) && has_point == (fraction != 0) &&
                      whole + fraction <= kFastDigitsMax && fraction <= scale &&
                      !ContinuesNumber(cursor.Peek());
  if (common) {
    const Int128 value = Int128{digits} * PowerOfTen(static_cast<uint8_t>(scale - fraction));
    if (value >= PowerOfTen(precision)) {
      return ErrorCode::kRecordOutOfRange;
    }
    target.builder.AppendFixed(negative ? -value : value);
    return {};
  }
  cursor = begin;
  if (!IsDigit(cursor.Peek()) && cursor.Peek() != '-') {
    return Mismatch(cursor, depth_max_);
  }
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  Int128 value = 0;
  const ScanOutcome outcome = ScanNumeric(number.text, precision, scale, value);
  return AppendScanned(outcome, value, target.builder);
}

bool ValueWriter::ScanTimestampOfLastDate(std::string_view text, Micros& out) const {
  if (text.size() < 20 || std::memcmp(text.data(), last_date_.text, 11) != 0) {
    return false;
  }
  const char* p = text.data();
  uint32_t bad = 0;
  const auto digit = [&](size_t at) {
    const auto value = static_cast<uint32_t>(static_cast<unsigned char>(p[at] - '0'));
    bad |= static_cast<uint32_t>(value > 9);
    return value;
  };
  const uint32_t hour = digit(11) * 10 + digit(12);
  const uint32_t minute = digit(14) * 10 + digit(15);
  const uint32_t second = digit(17) * 10 + digit(18);
  constexpr size_t kFractionAt = 20;
  constexpr size_t kFractionDigitsMax = 6;
  const size_t end = text.size() - 1;
  uint32_t micros = 0;
  if (p[kFractionAt - 1] == '.') {
    if (end <= kFractionAt || end > kFractionAt + kFractionDigitsMax) {
      return false;
    }
    for (size_t at = kFractionAt; at < end; ++at) {
      micros = micros * 10 + digit(at);
    }
    for (size_t digits = end - kFractionAt; digits < kFractionDigitsMax; ++digits) {
      micros *= 10;
    }
  } else if (end != kFractionAt - 1) {
    return false;
  }
  bad |= static_cast<uint32_t>(p[13] != ':') | static_cast<uint32_t>(p[16] != ':') |
         static_cast<uint32_t>(hour > 23) | static_cast<uint32_t>(minute > 59) |
         static_cast<uint32_t>(second > 59) | static_cast<uint32_t>(p[end] != 'Z');
  out = last_date_.midnight + (int64_t{hour} * 3600 + minute * 60 + second) * kMicrosPerSecond +
        micros;
  return bad == 0;
}

Failure ValueWriter::AppendTimestamp(Cursor& cursor, Target& target) {
  if (cursor.Peek() != '"') {
    return epoch_millis_ ? AppendEpochMillis(cursor, target) : Mismatch(cursor, depth_max_);
  }
  std::string_view text;
  if (const Failure failure = ReadString(cursor, text)) {
    return failure;
  }
  Micros value = 0;
  if (!ScanTimestampOfLastDate(text, value)) {
    if (ScanTimestamptz(text, value) != ScanOutcome::kOk) {
      return ErrorCode::kRecordInvalidTimestamp;
    }
    constexpr size_t kDateBytes = 11;  // With the T behind it.
    if (text.size() >= 20 && text[4] == '-' && text[7] == '-' && text.back() == 'Z' &&
        (text[10] == 'T' || text[10] == ' ')) {
      int32_t days = 0;
      if (ScanDate(text.substr(0, kDateBytes - 1), days) == ScanOutcome::kOk) {
        std::memcpy(last_date_.text, text.data(), kDateBytes);
        last_date_.midnight = days * kMicrosPerDay;
      }
    }
  }
  target.builder.AppendFixed(value);
  return {};
}

Failure ValueWriter::AppendEpochMillis(Cursor& cursor, Target& target) {
  if (!IsDigit(cursor.Peek()) && cursor.Peek() != '-') {
    return Mismatch(cursor, depth_max_);
  }
  constexpr uint8_t kMicroDigits = 3;
  RawNumber number;
  if (const Failure failure = ScanNumber(cursor, number)) {
    return failure;
  }
  Int128 micros = 0;
  if (ScanNumeric(number.text, DataType::kNumericPrecisionMax, kMicroDigits, micros) !=
          ScanOutcome::kOk ||
      micros < kTimestampMin || micros > kTimestampMax) {
    return ErrorCode::kRecordInvalidTimestamp;
  }
  target.builder.AppendFixed(static_cast<Micros>(micros));
  return {};
}

inline void ValueWriter::AppendInBody(std::string_view text, Target& target) {
  const auto size = static_cast<uint32_t>(text.size());
  target.builder.AppendFixed(
      size <= TextView::kInlineMax
          ? TextView::InlinePadded(text.data(), size)
          : TextView::Reference(text, target.backing,
                                static_cast<uint32_t>(text.data() - body_begin_)));
}

Failure ValueWriter::AppendText(Cursor& cursor, Target& target) {
  if (cursor.Peek() != '"') {
    return Mismatch(cursor, depth_max_);
  }
  RawString string;
  if (const Failure failure = ScanString(cursor, string)) {
    return failure;
  }
  if (!string.has_escapes) [[likely]] {
    AppendInBody(string.text, target);
    return {};
  }
  unescaped_.clear();
  if (const Failure failure = Unescape(string.text, unescaped_)) {
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
    return Mismatch(cursor, depth_max_);
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
  if (const Failure failure = SkipValue(cursor, depth_max_)) {
    return failure;
  }
  const std::string_view raw(begin, static_cast<size_t>(cursor.at - begin));
  unescaped_.clear();
  if (const auto failure = AppendCanonicalJson(unescaped_, raw, depth_max_)) {
    return *failure;
  }
  if (raw == unescaped_) {
    AppendInBody(raw, target);
  } else {
    target.builder.AppendText(unescaped_);
  }
  return {};
}

Failure ValueWriter::AppendJson(std::string_view json, size_t column) {
  unescaped_.clear();
  if (const auto failure = AppendCanonicalJson(unescaped_, json, depth_max_ + 1)) {
    return *failure;
  }
  columns_[column].builder.AppendText(unescaped_);
  return {};
}

}  // namespace millrace::json
