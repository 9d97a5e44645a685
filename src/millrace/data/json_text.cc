#include "millrace/data/json_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "millrace/base/utf8.h"
#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"

namespace millrace {

using internal::TextCursor;

namespace {

using Failure = std::optional<ErrorCode>;

constexpr int64_t kPointFormDigitsMax = 40;

bool IsJsonSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// The short escape of a control character, quote or backslash; 0 when it has none.
constexpr char ShortEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

/// Returns how many leading bytes need no escape, eight at a time (Hacker's Delight, 6-1).
size_t PlainPrefix(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHigh = kOnes * 0x80;
  const auto zero_bytes = [](uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    const uint64_t below_space = (word - kOnes * 0x20) & ~word & kHigh;
    const uint64_t special =
        below_space | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
    if (special != 0) {
      return at + static_cast<size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x20 && text[at] != '"' &&
         text[at] != '\\') {
    ++at;
  }
  return at;
}

void AppendEscaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '\\';
  if (const char escape = ShortEscape(c); escape != '\0') {
    out += escape;
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

/// One pass over the text that writes canonical form as it goes; objects whose keys turn out to be
/// unsorted are rearranged when they close.
class Canonicalizer {
 public:
  Canonicalizer(std::string& out, std::string_view json, size_t depth_max)
      : out_(out), cursor_(json), depth_max_(depth_max) {}

  Failure Run() {
    SkipSpace();
    if (const Failure failure = AppendAny(0)) {
      return failure;
    }
    SkipSpace();
    return cursor_.done() ? Failure() : ErrorCode::kRecordSyntax;
  }

 private:
  struct Member {
    size_t key_begin;
    size_t key_size;
    size_t end;
    size_t order;
  };

  void SkipSpace() {
    while (!cursor_.done() && IsJsonSpace(cursor_.Peek())) {
      cursor_.Skip();
    }
  }

  Failure AppendAny(size_t depth) {
    switch (cursor_.Peek()) {
      case '{':
        return depth == depth_max_ ? ErrorCode::kRecordTooDeep : AppendObject(depth + 1);
      case '[':
        return depth == depth_max_ ? ErrorCode::kRecordTooDeep : AppendArray(depth + 1);
      case '"':
        return AppendString();
      case 't':
        return AppendWord("true");
      case 'f':
        return AppendWord("false");
      case 'n':
        return AppendWord("null");
      default:
        return AppendNumber();
    }
  }

  Failure AppendWord(std::string_view word) {
    if (cursor_.TakeLetters() != word) {
      return ErrorCode::kRecordSyntax;
    }
    out_ += word;
    return {};
  }

  Failure AppendArray(size_t depth) {
    cursor_.Skip();
    out_ += '[';
    SkipSpace();
    if (!cursor_.Take(']')) {
      while (true) {
        if (const Failure failure = AppendAny(depth)) {
          return failure;
        }
        SkipSpace();
        if (cursor_.Take(']')) {
          break;
        }
        if (!cursor_.Take(',')) {
          return ErrorCode::kRecordSyntax;
        }
        out_ += ',';
        SkipSpace();
      }
    }
    out_ += ']';
    return {};
  }

  Failure AppendObject(size_t depth) {
    cursor_.Skip();
    out_ += '{';
    const size_t first_member = members_.size();
    SkipSpace();
    if (!cursor_.Take('}')) {
      while (true) {
        if (const Failure failure = AppendMember(depth)) {
          return failure;
        }
        SkipSpace();
        if (cursor_.Take('}')) {
          break;
        }
        if (!cursor_.Take(',')) {
          return ErrorCode::kRecordSyntax;
        }
        out_ += ',';
        SkipSpace();
      }
    }
    SortMembers(first_member);
    members_.resize(first_member);
    out_ += '}';
    return {};
  }

  Failure AppendMember(size_t depth) {
    const size_t key_begin = out_.size();
    if (cursor_.Peek() != '"') {
      return ErrorCode::kRecordSyntax;
    }
    if (const Failure failure = AppendString()) {
      return failure;
    }
    const size_t key_size = out_.size() - key_begin;
    SkipSpace();
    if (!cursor_.Take(':')) {
      return ErrorCode::kRecordSyntax;
    }
    out_ += ':';
    SkipSpace();
    if (const Failure failure = AppendAny(depth)) {
      return failure;
    }
    members_.push_back({key_begin, key_size, out_.size(), members_.size()});
    return {};
  }

  int CompareKeys(const Member& a, const Member& b) const {
    if (a.key_size != b.key_size) {
      return a.key_size < b.key_size ? -1 : 1;
    }
    return std::memcmp(out_.data() + a.key_begin, out_.data() + b.key_begin, a.key_size);
  }

  void SortMembers(size_t first) {
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto unsorted = [this](const Member& a, const Member& b) {
      return CompareKeys(a, b) >= 0;
    };
    if (std::adjacent_find(begin, members_.end(), unsorted) == members_.end()) {
      return;
    }
    std::sort(begin, members_.end(), [this](const Member& a, const Member& b) {
      const int order = CompareKeys(a, b);
      return order != 0 ? order < 0 : a.order > b.order;
    });
    std::string sorted;
    const Member* previous = nullptr;
    size_t object_begin = out_.size();
    for (auto member = begin; member != members_.end(); ++member) {
      object_begin = std::min(object_begin, member->key_begin);
      if (previous != nullptr && CompareKeys(*previous, *member) == 0) {
        continue;
      }
      previous = &*member;
      if (!sorted.empty()) {
        sorted += ',';
      }
      sorted.append(out_, member->key_begin, member->end - member->key_begin);
    }
    out_.resize(object_begin);
    out_ += sorted;
  }

  Failure AppendString() {
    cursor_.Skip();
    const std::string_view rest = cursor_.rest();
    out_ += '"';
    size_t at = 0;
    while (true) {
      const size_t plain = PlainPrefix(rest.substr(at));
      const std::string_view run = rest.substr(at, plain);
      if (!IsValidUtf8(run)) {
        return ErrorCode::kRecordInvalidText;
      }
      out_ += run;
      at += plain;
      if (at == rest.size() || static_cast<unsigned char>(rest[at]) < 0x20) {
        return ErrorCode::kRecordSyntax;
      }
      if (rest[at] == '"') {
        break;
      }
      if (const Failure failure = AppendUnescaped(rest, at)) {
        return failure;
      }
    }
    out_ += '"';
    cursor_ = TextCursor(rest.substr(at + 1));
    return {};
  }

  /// `at` is at a backslash and moves behind its escape.
  Failure AppendUnescaped(std::string_view text, size_t& at) {
    if (at + 1 >= text.size()) {
      return ErrorCode::kRecordSyntax;
    }
    const char c = text[at + 1];
    at += 2;
    if (c == 'u') {
      return AppendUnicodeEscape(text, at);
    }
    if (c == '/') {
      out_ += '/';
      return {};
    }
    if (std::string_view(R"("\bfnrt)").find(c) == std::string_view::npos) {
      return ErrorCode::kRecordSyntax;
    }
    out_ += '\\';
    out_ += c;
    return {};
  }

  /// Reads four hexadecimal digits; negative when there are none.
  static int32_t TakeHex4(std::string_view text, size_t& at) {
    if (text.size() - at < 4) {
      return -1;
    }
    int32_t value = 0;
    for (size_t i = 0; i < 4; ++i) {
      const char c = internal::ToLower(text[at + i]);
      if (!internal::IsDigit(c) && (c < 'a' || c > 'f')) {
        return -1;
      }
      value = value * 16 + (internal::IsDigit(c) ? c - '0' : c - 'a' + 10);
    }
    at += 4;
    return value;
  }

  Failure AppendUnicodeEscape(std::string_view text, size_t& at) {
    const int32_t unit = TakeHex4(text, at);
    if (unit < 0) {
      return ErrorCode::kRecordSyntax;
    }
    auto code_point = static_cast<uint32_t>(unit);
    if (unit >= 0xD800 && unit < 0xE000) {
      if (unit >= 0xDC00 || text.substr(at, 2) != "\\u") {
        return ErrorCode::kRecordInvalidText;
      }
      at += 2;
      const int32_t low = TakeHex4(text, at);
      if (low < 0xDC00 || low > 0xDFFF) {
        return low < 0 ? ErrorCode::kRecordSyntax : ErrorCode::kRecordInvalidText;
      }
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + static_cast<uint32_t>(low - 0xDC00);
    }
    if (code_point == 0) {
      return ErrorCode::kRecordInvalidText;
    }
    if (code_point < 0x20 || code_point == '"' || code_point == '\\') {
      AppendEscaped(out_, static_cast<char>(code_point));
    } else {
      AppendUtf8(out_, code_point);
    }
    return {};
  }

  Failure AppendNumber() {
    const bool negative = cursor_.Take('-');
    const std::string_view whole = cursor_.TakeDigits();
    std::string_view fraction;
    if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) {
      return ErrorCode::kRecordSyntax;
    }
    if (cursor_.Take('.') && (fraction = cursor_.TakeDigits()).empty()) {
      return ErrorCode::kRecordSyntax;
    }
    int64_t exponent = 0;
    if (cursor_.Take('e') || cursor_.Take('E')) {
      const bool minus = cursor_.Take('-');
      if (!minus) {
        cursor_.Take('+');
      }
      const std::string_view digits = cursor_.TakeDigits();
      if (digits.empty()) {
        return ErrorCode::kRecordSyntax;
      }
      exponent = internal::DigitsValue(digits, kExponentMax);
      exponent = minus ? -exponent : exponent;
    }
    return AppendDecimal(negative, whole, fraction, exponent);
  }

  Failure AppendDecimal(bool negative, std::string_view whole, std::string_view fraction,
                        int64_t exponent) {
    std::string digits(whole);
    digits += fraction;
    const size_t first = digits.find_first_not_of('0');
    if (first == std::string::npos) {
      out_ += '0';
      return {};
    }
    // The value is 0.DIGITS * 10^point.
    const int64_t point =
        static_cast<int64_t>(whole.size()) + exponent - static_cast<int64_t>(first);
    digits.erase(digits.find_last_not_of('0') + 1);
    digits.erase(0, first);
    if (std::abs(exponent) == kExponentMax) {
      return ErrorCode::kRecordOutOfRange;
    }
    if (negative) {
      out_ += '-';
    }
    const auto count = static_cast<int64_t>(digits.size());
    if (point > 0 && std::max(point, count) <= kPointFormDigitsMax) {
      AppendPointForm(digits, static_cast<size_t>(point));
    } else if (point <= 0 && count - point <= kPointFormDigitsMax) {
      out_ += "0.";
      out_.append(static_cast<size_t>(-point), '0');
      out_ += digits;
    } else {
      AppendScientificForm(digits, point - 1);
    }
    return {};
  }

  void AppendPointForm(std::string_view digits, size_t point) {
    out_ += digits.substr(0, point);
    if (point > digits.size()) {
      out_.append(point - digits.size(), '0');
    } else if (point < digits.size()) {
      out_ += '.';
      out_ += digits.substr(point);
    }
  }

  void AppendScientificForm(std::string_view digits, int64_t exponent) {
    out_ += digits[0];
    if (digits.size() > 1) {
      out_ += '.';
      out_ += digits.substr(1);
    }
    out_ += exponent < 0 ? "e" : "e+";
    AppendInteger(out_, exponent);
  }

  static constexpr int64_t kExponentMax = 1'000'000;

  std::string& out_;
  TextCursor cursor_;
  const size_t depth_max_;
  std::vector<Member> members_;
};

}  // namespace

std::optional<ErrorCode> AppendCanonicalJson(std::string& out, std::string_view json,
                                             size_t depth_max) {
  const size_t size = out.size();
  const Failure failure = Canonicalizer(out, json, depth_max).Run();
  if (failure) {
    out.resize(size);
  }
  return failure;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const size_t plain = PlainPrefix(text);
    out.append(text.data(), plain);
    if (plain == text.size()) {
      break;
    }
    AppendEscaped(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void AppendSpacedJson(std::string& out, std::string_view canonical) {
  bool in_string = false;
  for (size_t i = 0; i < canonical.size(); ++i) {
    const char c = canonical[i];
    out += c;
    if (in_string) {
      if (c == '\\' && i + 1 < canonical.size()) {
        out += canonical[++i];
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == ',' || c == ':') {
      out += ' ';
    }
  }
}

}  // namespace millrace
