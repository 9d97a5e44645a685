#include "millrace/expr/json_path.h"

#include <vector>

#include "millrace/data/json_text.h"
#include "millrace/expr/utf8_text.h"

namespace millrace {

namespace {

/// Returns the end of the string that begins with the quote at `at`.
size_t SkipString(std::string_view json, size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

/// Returns the end of the value at `at`.
size_t SkipValue(std::string_view json, size_t at) {
  size_t depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = SkipString(json, at);
      if (depth == 0) {
        return at;
      }
      continue;
    }
    if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      if (depth == 0) {
        return at;
      }
      if (--depth == 0) {
        return at + 1;
      }
    } else if (c == ',' && depth == 0) {
      return at;
    }
    ++at;
  }
  return at;
}

uint32_t HexValue(std::string_view digits) {
  uint32_t value = 0;
  for (const char c : digits) {
    const int digit = c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0';
    value = value * 16 + (static_cast<uint32_t>(digit) & 15);
  }
  return value;
}

/// Appends the character of the \u escape whose digits begin at `at`; returns the position behind
/// it.
size_t AppendEscapedUnicode(std::string& out, std::string_view text, size_t at) {
  uint32_t code = HexValue(text.substr(at, 4));
  at += 4;
  const bool high = code >= 0xd800 && code < 0xdc00;
  if (high && at + 6 <= text.size() && text[at] == '\\') {
    code = 0x10000 + ((code - 0xd800) << 10) + (HexValue(text.substr(at + 2, 4)) - 0xdc00);
    at += 6;
  }
  internal::AppendCharacter(out, code);
  return at;
}

char EscapedCharacter(char c) {
  switch (c) {
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
      return c;
  }
}

std::string_view Unescape(std::string_view inner, std::string& scratch) {
  scratch.clear();
  size_t at = 0;
  while (at < inner.size()) {
    if (inner[at] != '\\' || at + 1 >= inner.size()) {
      scratch += inner[at++];
    } else if (inner[at + 1] == 'u' && at + 6 <= inner.size()) {
      at = AppendEscapedUnicode(scratch, inner, at + 2);
    } else {
      scratch += EscapedCharacter(inner[at + 1]);
      at += 2;
    }
  }
  return scratch;
}

/// The string between the quotes of `json`.
std::string_view StringText(std::string_view json, std::string& scratch) {
  const std::string_view inner =
      json.size() < 2 ? std::string_view() : json.substr(1, json.size() - 2);
  return inner.find('\\') == std::string_view::npos ? inner : Unescape(inner, scratch);
}

}  // namespace

JsonKind GetJsonKind(std::string_view json) {
  switch (json.empty() ? 'n' : json.front()) {
    case 'n':
      return JsonKind::kNull;
    case 't':
    case 'f':
      return JsonKind::kBoolean;
    case '"':
      return JsonKind::kString;
    case '[':
      return JsonKind::kArray;
    case '{':
      return JsonKind::kObject;
    default:
      return JsonKind::kNumber;
  }
}

std::string_view JsonKindName(JsonKind kind) {
  constexpr std::string_view kNames[] = {"null", "boolean", "number", "string", "array", "object"};
  return kNames[static_cast<size_t>(kind)];
}

std::optional<std::string_view> JsonMember(std::string_view json, std::string_view key) {
  if (GetJsonKind(json) != JsonKind::kObject) {
    return std::nullopt;
  }
  std::string scratch;
  size_t at = 1;
  while (at < json.size() && json[at] == '"') {
    const size_t key_end = SkipString(json, at);
    const bool found = StringText(json.substr(at, key_end - at), scratch) == key;
    const size_t value = key_end + 1;
    if (value >= json.size()) {
      break;
    }
    const size_t end = SkipValue(json, value);
    if (found) {
      return json.substr(value, end - value);
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string_view> JsonElement(std::string_view json, int64_t index) {
  if (GetJsonKind(json) != JsonKind::kArray) {
    return std::nullopt;
  }
  if (index < 0) {
    index += JsonLength(json);
  }
  size_t at = 1;
  for (int64_t i = 0; index >= 0 && at < json.size() && json[at] != ']'; ++i) {
    const size_t end = SkipValue(json, at);
    if (i == index) {
      return json.substr(at, end - at);
    }
    at = end + 1;
  }
  return std::nullopt;
}

int64_t JsonLength(std::string_view array) {
  int64_t length = 0;
  size_t at = 1;
  while (at < array.size() && array[at] != ']') {
    at = SkipValue(array, at) + 1;
    ++length;
  }
  return length;
}

std::string_view JsonText(std::string_view json, std::string& scratch) {
  const JsonKind kind = GetJsonKind(json);
  if (kind == JsonKind::kObject || kind == JsonKind::kArray) {
    scratch.clear();
    AppendSpacedJson(scratch, json);
    return scratch;
  }
  return kind == JsonKind::kString ? StringText(json, scratch) : json;
}

}  // namespace millrace
