#include "millrace/codec/json_scan.h"

#include "millrace/base/utf8.h"

namespace millrace::json {

namespace {

/// The value of a hexadecimal digit, or -1.
int32_t HexValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  const auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Reads the four digits behind \u; -1 when there are fewer.
int32_t Hex4(const char* at, const char* end) {
  if (end - at < 4) {
    return -1;
  }
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int32_t digit = HexValue(at[i]);
    if (digit < 0) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

/// The character that a one-letter escape stands for; NUL when it is none.
char Unescaped(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

/// Appends the code point of the \u escape whose digits are at `at`, moving behind it.
Failure AppendCodePoint(const char*& at, const char* end, std::string& out) {
  auto code_point = static_cast<uint32_t>(Hex4(at, end));
  at += 4;
  if (code_point >= 0xD800 && code_point < 0xE000) {
    const int32_t low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? Hex4(at + 2, end) : -1;
    if (code_point >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) {
      return ErrorCode::kRecordInvalidText;
    }
    code_point = 0x10000 + ((code_point - 0xD800) << 10) + static_cast<uint32_t>(low - 0xDC00);
    at += 6;
  }
  if (code_point == 0) {
    return ErrorCode::kRecordInvalidText;
  }
  AppendUtf8(out, code_point);
  return {};
}

Failure SkipArray(Cursor& cursor, size_t depth_max) {
  ++cursor.at;
  SkipSpace(cursor);
  if (cursor.Take(']')) {
    return {};
  }
  while (true) {
    if (const Failure failure = SkipValue(cursor, depth_max)) {
      return failure;
    }
    SkipSpace(cursor);
    if (cursor.Take(']')) {
      return {};
    }
    if (!cursor.Take(',')) {
      return ErrorCode::kRecordSyntax;
    }
    SkipSpace(cursor);
  }
}

Failure SkipObject(Cursor& cursor, size_t depth_max) {
  ++cursor.at;
  SkipSpace(cursor);
  if (cursor.Take('}')) {
    return {};
  }
  while (true) {
    RawString key;
    if (cursor.Peek() != '"') {
      return ErrorCode::kRecordSyntax;
    }
    if (const Failure failure = ScanString(cursor, key)) {
      return failure;
    }
    SkipSpace(cursor);
    if (!cursor.Take(':')) {
      return ErrorCode::kRecordSyntax;
    }
    SkipSpace(cursor);
    if (const Failure failure = SkipValue(cursor, depth_max)) {
      return failure;
    }
    SkipSpace(cursor);
    if (cursor.Take('}')) {
      return {};
    }
    if (!cursor.Take(',')) {
      return ErrorCode::kRecordSyntax;
    }
    SkipSpace(cursor);
  }
}

}  // namespace

Failure ScanEscapedString(Cursor& cursor, const char* begin, RawString& out) {
  while (true) {
    cursor.at = FindStringStop(cursor.at, cursor.end);
    if (cursor.done()) {
      return ErrorCode::kRecordSyntax;
    }
    if (*cursor.at == '"') {
      out = {.text = {begin, static_cast<size_t>(cursor.at - begin)}, .has_escapes = true};
      ++cursor.at;
      return {};
    }
    if (*cursor.at != '\\') {
      return *cursor.at == '\0' ? ErrorCode::kRecordInvalidText : ErrorCode::kRecordSyntax;
    }
    if (cursor.left() < 2) {
      return ErrorCode::kRecordSyntax;
    }
    if (cursor.at[1] == 'u') {
      if (Hex4(cursor.at + 2, cursor.end) < 0) {
        return ErrorCode::kRecordSyntax;
      }
      cursor.at += 6;
    } else if (Unescaped(cursor.at[1]) != '\0') {
      cursor.at += 2;
    } else {
      return ErrorCode::kRecordSyntax;
    }
  }
}

Failure ReadText(Cursor& cursor, std::string& out) {
  ++cursor.at;
  while (true) {
    const char* const begin = cursor.at;
    cursor.at = FindStringStop(begin, cursor.end);
    out.append(begin, cursor.at);
    if (cursor.done()) {
      return ErrorCode::kRecordSyntax;
    }
    const char stop = *cursor.at;
    if (stop == '"') {
      ++cursor.at;
      return {};
    }
    if (stop != '\\') {
      return stop == '\0' ? ErrorCode::kRecordInvalidText : ErrorCode::kRecordSyntax;
    }
    if (cursor.left() < 2) {
      return ErrorCode::kRecordSyntax;
    }
    const char escape = cursor.at[1];
    cursor.at += 2;
    if (escape == 'u') {
      if (Hex4(cursor.at, cursor.end) < 0) {
        return ErrorCode::kRecordSyntax;
      }
      if (const Failure failure = AppendCodePoint(cursor.at, cursor.end, out)) {
        return failure;
      }
    } else if (const char plain = Unescaped(escape); plain != '\0') {
      out += plain;
    } else {
      return ErrorCode::kRecordSyntax;
    }
  }
}

Failure Unescape(std::string_view raw, std::string& out) {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    if (*at != '\\') {
      const auto* stop =
          static_cast<const char*>(std::memchr(at, '\\', static_cast<size_t>(end - at)));
      stop = stop == nullptr ? end : stop;
      out.append(at, stop);
      at = stop;
      continue;
    }
    const char escape = at[1];
    at += 2;
    if (escape != 'u') {
      out += Unescaped(escape);
    } else if (const Failure failure = AppendCodePoint(at, end, out)) {
      return failure;
    }
  }
  return {};
}

Failure ScanNumber(Cursor& cursor, RawNumber& out) {
  const char* const begin = cursor.at;
  const auto digits = [&] {
    const char* const first = cursor.at;
    while (!cursor.done() && IsDigit(*cursor.at)) {
      ++cursor.at;
    }
    return cursor.at - first;
  };
  cursor.Take('-');
  const bool zero = cursor.Peek() == '0';
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1)) {
    return ErrorCode::kRecordSyntax;
  }
  out.is_integer = true;
  if (cursor.Take('.')) {
    out.is_integer = false;
    if (digits() == 0) {
      return ErrorCode::kRecordSyntax;
    }
  }
  if (cursor.Take('e') || cursor.Take('E')) {
    out.is_integer = false;
    if (!cursor.Take('-')) {
      cursor.Take('+');
    }
    if (digits() == 0) {
      return ErrorCode::kRecordSyntax;
    }
  }
  out.text = {begin, static_cast<size_t>(cursor.at - begin)};
  return {};
}

Failure SkipValue(Cursor& cursor, size_t depth_max) {
  switch (cursor.Peek()) {
    case '{':
      return depth_max == 0 ? ErrorCode::kRecordTooDeep : SkipObject(cursor, depth_max - 1);
    case '[':
      return depth_max == 0 ? ErrorCode::kRecordTooDeep : SkipArray(cursor, depth_max - 1);
    case '"': {
      RawString string;
      return ScanString(cursor, string);
    }
    case 't':
      return ScanWord(cursor, "true");
    case 'f':
      return ScanWord(cursor, "false");
    case 'n':
      return ScanWord(cursor, "null");
    default: {
      RawNumber number;
      return ScanNumber(cursor, number);
    }
  }
}

const char* FindValueEnd(const char* at, const char* end) {
  size_t depth = 0;
  for (; at < end; ++at) {
    switch (*at) {
      case '"':
        for (++at; at < end && *at != '"'; ++at) {
          at += *at == '\\' ? 1 : 0;
        }
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth <= 1) {
          return depth == 0 ? at : at + 1;
        }
        --depth;
        break;
      case ',':
        if (depth == 0) {
          return at;
        }
        break;
      default:
        break;
    }
  }
  return end;
}

}  // namespace millrace::json
