#include "millrace/data/text_format.h"

#include <limits>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/utf8.h"
#include "millrace/data/json_text.h"
#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format_error.h"

namespace millrace {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

/// The value of a hexadecimal digit, or a value above 15.
uint32_t HexValue(char c) {
  if (internal::IsDigit(c)) {
    return static_cast<uint32_t>(c - '0');
  }
  const char lower = internal::ToLower(c);
  return lower >= 'a' && lower <= 'f' ? static_cast<uint32_t>(lower - 'a') + 10 : 16;
}

Result<Value> ParseJsonb(std::string_view text) {
  std::string canonical;
  if (const auto failure = AppendCanonicalJson(canonical, text)) {
    return Err(*failure == ErrorCode::kRecordInvalidText ? *failure : ErrorCode::kInvalidCast,
               fmt::format("invalid text for jsonb: {}", Describe(*failure).meaning));
  }
  return Value(std::move(canonical));
}

Result<Value> ParseText(std::string_view text) {
  if (!IsValidText(text)) {
    return Err(ErrorCode::kRecordInvalidText, "text is not valid UTF-8 or holds a NUL character");
  }
  return Value(std::string(text));
}

template <typename T>
Result<Value> AsValue(Result<T> result) {
  if (!result) {
    return std::unexpected(std::move(result).error());
  }
  return Value(*std::move(result));
}

}  // namespace

namespace internal {

Status ScanStatus(ScanOutcome outcome, ErrorCode out_of_range, std::string_view type,
                  std::string_view text) {
  constexpr size_t kQuotedBytesMax = 64;
  if (outcome == ScanOutcome::kOk) {
    return {};
  }
  std::string quoted;
  AppendJsonString(quoted, text.substr(0, kQuotedBytesMax));
  if (!IsValidUtf8(quoted)) {
    quoted = fmt::format("{} bytes that are not UTF-8", text.size());
  }
  if (outcome == ScanOutcome::kOutOfRange) {
    return Err(out_of_range, fmt::format("value out of range for {}: {}", type, quoted));
  }
  return Err(ErrorCode::kInvalidCast, fmt::format("invalid text for {}: {}", type, quoted));
}

}  // namespace internal

ScanOutcome ScanBoolean(std::string_view text, bool& out) {
  text = internal::TrimSpace(text);
  const auto is_prefix = [&](std::string_view word, size_t size_min) {
    return text.size() >= size_min && text.size() <= word.size() &&
           internal::EqualsIgnoreCase(text, word.substr(0, text.size()));
  };
  if (is_prefix("true", 1) || is_prefix("yes", 1) || is_prefix("on", 2) || text == "1") {
    out = true;
  } else if (is_prefix("false", 1) || is_prefix("no", 1) || is_prefix("off", 2) || text == "0") {
    out = false;
  } else {
    return ScanOutcome::kInvalid;
  }
  return ScanOutcome::kOk;
}

ScanOutcome ScanUuid(std::string_view text, Uuid& out) {
  text = internal::TrimSpace(text);
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, text.size() - 2);
  }
  Uuid uuid;
  size_t at = 0;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i > 0 && i % 2 == 0 && at < text.size() && text[at] == '-') {
      ++at;
    }
    if (text.size() - at < 2) {
      return ScanOutcome::kInvalid;
    }
    const uint32_t high = HexValue(text[at]);
    const uint32_t low = HexValue(text[at + 1]);
    if (high > 15 || low > 15) {
      return ScanOutcome::kInvalid;
    }
    uuid[i] = static_cast<std::byte>(high * 16 + low);
    at += 2;
  }
  if (at != text.size()) {
    return ScanOutcome::kInvalid;
  }
  out = uuid;
  return ScanOutcome::kOk;
}

Result<Uuid> ParseUuid(std::string_view text) {
  Uuid value{};
  const ScanOutcome outcome = ScanUuid(text, value);
  MR_TRY(internal::DatetimeStatus(outcome, "uuid", text));
  return value;
}

void AppendUuid(std::string& out, const Uuid& value) {
  char buffer[36];
  char* at = buffer;
  for (size_t i = 0; i < value.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      *at++ = '-';
    }
    const auto byte = static_cast<uint32_t>(value[i]);
    *at++ = kHexDigits[byte >> 4];
    *at++ = kHexDigits[byte & 15];
  }
  out.append(buffer, sizeof(buffer));
}

std::string FormatUuid(const Uuid& value) {
  std::string out;
  AppendUuid(out, value);
  return out;
}

ScanOutcome ScanBytea(std::string_view text, std::string& out) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) {
    return ScanOutcome::kInvalid;
  }
  const size_t before = out.size();
  for (size_t at = 2; at < text.size(); at += 2) {
    const uint32_t high = HexValue(text[at]);
    const uint32_t low = HexValue(text[at + 1]);
    if (high > 15 || low > 15) {
      out.resize(before);
      return ScanOutcome::kInvalid;
    }
    out += static_cast<char>(high * 16 + low);
  }
  return ScanOutcome::kOk;
}

ScanOutcome ScanEscapedBytea(std::string_view text, std::string& out) {
  const size_t before = out.size();
  const auto octal = [&](size_t at) {
    return at < text.size() && text[at] >= '0' && text[at] <= '7' ? text[at] - '0' : -1;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
    } else if (text.substr(at + 1, 1) == "\\") {
      out += text[++at];
    } else if (octal(at + 1) >= 0 && octal(at + 1) < 4 && octal(at + 2) >= 0 &&
               octal(at + 3) >= 0) {
      out += static_cast<char>(octal(at + 1) * 64 + octal(at + 2) * 8 + octal(at + 3));
      at += 3;
    } else {
      out.resize(before);
      return ScanOutcome::kInvalid;
    }
  }
  return ScanOutcome::kOk;
}

void AppendBytea(std::string& out, std::string_view bytes) {
  out += "\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
}

bool IsValidText(std::string_view text) {
  return text.find('\0') == std::string_view::npos && IsValidUtf8(text);
}

void AppendValueText(std::string& out, const Value& value, const DataType& type) {
  if (value.is_null()) {
    return;
  }
  switch (type.id) {
    case TypeId::kBoolean:
      out += value.Get<bool>() ? "true" : "false";
      return;
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      return AppendInteger(out, value.Get<int64_t>());
    case TypeId::kFloat32:
      return AppendFloat(out, static_cast<float>(value.Get<double>()));
    case TypeId::kFloat64:
      return AppendDouble(out, value.Get<double>());
    case TypeId::kNumeric:
      return AppendNumeric(out, value.Get<Int128>(), type.scale);
    case TypeId::kText:
      out += value.Get<std::string>();
      return;
    case TypeId::kBytea:
      return AppendBytea(out, value.Get<std::string>());
    case TypeId::kDate:
      return AppendDate(out, static_cast<int32_t>(value.Get<int64_t>()));
    case TypeId::kTimestamp:
      return AppendTimestamp(out, value.Get<int64_t>());
    case TypeId::kTimestamptz:
      return AppendTimestamptz(out, value.Get<int64_t>());
    case TypeId::kInterval:
      return AppendInterval(out, value.Get<Interval>());
    case TypeId::kUuid:
      return AppendUuid(out, value.Get<Uuid>());
    case TypeId::kJsonb:
      return AppendSpacedJson(out, value.Get<std::string>());
    case TypeId::kArray:
      return AppendArrayText(out, value.Get<std::string>(), type);
  }
  MR_CHECK(false, "type {}", static_cast<int>(type.id));
}

std::string FormatValue(const Value& value, const DataType& type) {
  if (value.is_null()) {
    return "NULL";
  }
  std::string out;
  AppendValueText(out, value, type);
  return out;
}

Result<Value> ParseValue(std::string_view text, const DataType& type) {
  switch (type.id) {
    case TypeId::kBoolean: {
      bool value = false;
      const ScanOutcome outcome = ScanBoolean(text, value);
      MR_TRY(internal::NumberStatus(outcome, "boolean", text));
      return Value(value);
    }
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
      return AsValue(ParseInteger(text, type));
    case TypeId::kFloat32: {
      MR_ASSIGN(const float value, ParseFloat(text));
      return Value(double{value});
    }
    case TypeId::kFloat64:
      return AsValue(ParseDouble(text));
    case TypeId::kNumeric:
      return AsValue(ParseNumeric(text, type.precision, type.scale));
    case TypeId::kText:
      return ParseText(text);
    case TypeId::kBytea: {
      std::string bytes;
      const ScanOutcome outcome =
          text.starts_with("\\x") ? ScanBytea(text, bytes) : ScanEscapedBytea(text, bytes);
      MR_TRY(internal::NumberStatus(outcome, "bytea", text));
      return Value(std::move(bytes));
    }
    case TypeId::kDate: {
      MR_ASSIGN(const int32_t days, ParseDate(text));
      return Value(int64_t{days});
    }
    case TypeId::kTimestamp:
      return AsValue(ParseTimestamp(text));
    case TypeId::kTimestamptz:
      return AsValue(ParseTimestamptz(text));
    case TypeId::kInterval:
      return AsValue(ParseInterval(text));
    case TypeId::kUuid:
      return AsValue(ParseUuid(text));
    case TypeId::kJsonb:
      return ParseJsonb(text);
    case TypeId::kArray:
      return ParseArray(text, type);
  }
  MR_CHECK(false, "type {}", static_cast<int>(type.id));
}

}  // namespace millrace
