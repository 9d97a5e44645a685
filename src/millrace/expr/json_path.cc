#include "millrace/expr/json_path.h"

#include <algorithm>
#include <limits>

#include "millrace/data/json_text.h"
#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
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

JsonItems::JsonItems(std::string_view container)
    : json_(container), object_(GetJsonKind(container) == JsonKind::kObject) {
  const bool any = object_ || GetJsonKind(container) == JsonKind::kArray;
  at_ = any ? 1 : json_.size();
}

bool JsonItems::Next() {
  if (at_ >= json_.size() || json_[at_] == ']' || json_[at_] == '}') {
    return false;
  }
  if (object_) {
    const size_t end = SkipString(json_, at_);
    key_ = json_.substr(at_, end - at_);
    at_ = std::min(end + 1, json_.size());
  }
  const size_t end = SkipValue(json_, at_);
  value_ = json_.substr(at_, end - at_);
  at_ = end + 1;
  return true;
}

namespace {

/// Reads the elements of a one-dimensional array literal.
class PathReader {
 public:
  explicit PathReader(std::string_view text) : rest_(internal::TrimSpace(text)) {}

  bool Read(JsonPath& path) {
    if (rest_.size() < 2 || rest_.front() != '{' || rest_.back() != '}') {
      return false;
    }
    rest_ = internal::TrimSpace(rest_.substr(1, rest_.size() - 2));
    if (rest_.empty()) {
      return true;
    }
    while (ReadElement(path)) {
      rest_ = internal::TrimSpace(rest_);
      if (rest_.empty()) {
        return true;
      }
      if (rest_.front() != ',') {
        return false;
      }
      rest_ = internal::TrimSpace(rest_.substr(1));
    }
    return false;
  }

 private:
  bool ReadElement(JsonPath& path) {
    const bool quoted = rest_.starts_with('"');
    rest_.remove_prefix(quoted ? 1 : 0);
    std::string element;
    size_t kept = 0;  // Spaces behind it do not belong to it.
    while (!rest_.empty() && rest_.front() != (quoted ? '"' : ',')) {
      const bool escaped = rest_.front() == '\\';
      rest_.remove_prefix(escaped ? 1 : 0);
      if (rest_.empty() || (!escaped && !quoted && IsSpecial(rest_.front()))) {
        return false;
      }
      element += rest_.front();
      kept = escaped || quoted || !internal::IsSpace(rest_.front()) ? element.size() : kept;
      rest_.remove_prefix(1);
    }
    element.resize(kept);
    if (quoted) {
      if (rest_.empty()) {
        return false;
      }
      rest_.remove_prefix(1);
    } else if (element.empty()) {
      return false;
    }
    const bool null = !quoted && internal::EqualsIgnoreCase(element, "null");
    path.push_back(null ? std::nullopt : std::optional(std::move(element)));
    return true;
  }

  static bool IsSpecial(char c) { return c == '{' || c == '}' || c == '"'; }

  std::string_view rest_;
};

}  // namespace

Result<JsonPath> ParseJsonPath(std::string_view text) {
  JsonPath path;
  if (!PathReader(text).Read(path)) {
    return Err(Error(ErrorCode::kInvalidCast, "malformed list of texts")
                   .WithHint("it is written '{a,b}'"));
  }
  return path;
}

std::optional<std::string_view> JsonAtPath(std::string_view json, const JsonPath& path) {
  std::optional<std::string_view> at = json;
  for (const auto& step : path) {
    if (!step) {
      return std::nullopt;
    }
    int64_t index = 0;
    if (GetJsonKind(*at) == JsonKind::kObject) {
      at = JsonMember(*at, *step);
    } else if (ScanInteger(*step, std::numeric_limits<int32_t>::min(),
                           std::numeric_limits<int32_t>::max(), index) == ScanOutcome::kOk) {
      at = JsonElement(*at, index);
    } else {
      return std::nullopt;
    }
    if (!at) {
      return std::nullopt;
    }
  }
  return at;
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
