#include "millrace/expr/regex_syntax.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

constexpr int64_t kRepeatMax = 255;  // DUPMAX of PostgreSQL's library.

std::unexpected<Error> Invalid(std::string_view why, std::string_view hint = {}) {
  Error error(ErrorCode::kInvalidRegex, fmt::format("invalid regular expression: {}", why));
  return Err(hint.empty() ? error : error.WithHint(std::string(hint)));
}

std::unexpected<Error> Unbalanced() { return Invalid("parentheses () not balanced"); }

std::unexpected<Error> Refused(std::string_view what, std::string_view hint = {}) {
  return Invalid(fmt::format("{} not supported", what), hint);
}

Result<void> ApplyFlag(char letter, RegexFlags& flags) {
  switch (letter) {
    case 'i':
      flags.ignore_case = true;
      return {};
    case 'c':
      flags.ignore_case = false;
      return {};
    case 'q':
      flags.literal = true;
      return {};
    case 'x':
      flags.expanded = true;
      return {};
    case 't':
      flags.expanded = false;
      return {};
    case 'm':
    case 'n':
      flags.dot_skips_newline = flags.line_anchors = true;
      return {};
    case 'p':
      flags.dot_skips_newline = true;
      flags.line_anchors = false;
      return {};
    case 'w':
      flags.dot_skips_newline = false;
      flags.line_anchors = true;
      return {};
    case 's':
      flags.dot_skips_newline = flags.line_anchors = false;
      return {};
    case 'b':
      return Refused("basic regular expressions (flag b) are");
    case 'e':
      return Refused("extended regular expressions (flag e) are");
    default:
      return Err(ErrorCode::kInvalidRegex,
                 fmt::format("invalid regular expression option: \"{}\"", letter));
  }
}

/// A character that stands for itself, as RE2 writes it.
void AppendLiteral(std::string& out, uint32_t code) {
  const bool word = code < 0x80 && (IsDigit(static_cast<char>(code)) ||
                                    IsLetter(static_cast<char>(code)) || code == '_');
  if (word || code == ' ') {
    out += static_cast<char>(code);
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{{{:x}}}", code);
  }
}

bool HasCase(uint32_t code) { return code < 0x80 && IsLetter(static_cast<char>(code)); }

uint32_t OtherCase(uint32_t code) { return code ^ 0x20; }

class RegexTranslator {
 public:
  RegexTranslator(std::string_view pattern, const RegexFlags& flags)
      : rest_(pattern), flags_(flags) {}

  Result<RegexTranslation> Translate();

 private:
  char Peek(size_t ahead = 0) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }
  bool Take(std::string_view text) {
    const bool found = rest_.starts_with(text);
    rest_.remove_prefix(found ? text.size() : 0);
    return found;
  }
  /// The next character, which is there.
  uint32_t TakeCharacter();

  Status Prefix();
  Status Next();
  Status Skip();
  Status Group();
  Status Quantifier();
  Status Bound();
  Status Escape();
  Status Bracket();
  Status BracketItem(std::string& set);
  Status BracketClass(std::string& set);
  Status BracketRange(std::string& set);
  Result<uint32_t> BracketEnd();
  /// The character of an escape whose letter is next; classes and anchors are not among them.
  Result<uint32_t> EscapedCharacter();
  Result<uint32_t> Hex(size_t digits);
  void Literal(uint32_t code);
  void Atom(std::string_view text) {
    out_.pattern += text;
    repeatable_ = true;
  }
  void Constraint(std::string_view text) {
    out_.pattern += text;
    repeatable_ = false;
  }

  std::string_view rest_;
  RegexFlags flags_;
  RegexTranslation out_;
  bool repeatable_ = false;  ///< Whether a quantifier may follow.
  int64_t depth_ = 0;        ///< Open parentheses.
};

uint32_t RegexTranslator::TakeCharacter() {
  const std::string_view bytes = CharacterRange(rest_, 0, 1);
  rest_.remove_prefix(bytes.size());
  return CharacterCode(bytes);
}

void RegexTranslator::Literal(uint32_t code) {
  repeatable_ = true;
  if (flags_.ignore_case && HasCase(code)) {
    out_.pattern += '[';
    AppendLiteral(out_.pattern, code);
    AppendLiteral(out_.pattern, OtherCase(code));
    out_.pattern += ']';
  } else {
    AppendLiteral(out_.pattern, code);
  }
}

Result<RegexTranslation> RegexTranslator::Translate() {
  MR_TRY(Prefix());
  out_.dot_skips_newline = flags_.dot_skips_newline;
  while (!rest_.empty()) {
    if (flags_.literal) {
      Literal(TakeCharacter());
    } else {
      MR_TRY(Next());
    }
  }
  return depth_ == 0 ? Result<RegexTranslation>(std::move(out_)) : Unbalanced();
}

/// Directors (***) and embedded options, which only stand at the begin.
Status RegexTranslator::Prefix() {
  if (flags_.literal) {
    return {};
  }
  if (Take("***=")) {
    flags_.literal = true;
    return {};
  }
  if (!Take("***:") && rest_.starts_with("***")) {
    return Invalid("quantifier operand invalid");
  }
  if (Peek() != '(' || Peek(1) != '?' || !IsLetter(Peek(2))) {
    return {};
  }
  rest_.remove_prefix(2);
  while (IsLetter(Peek())) {
    MR_TRY(ApplyFlag(Peek(), flags_));
    rest_.remove_prefix(1);
  }
  return Take(")") ? Status() : Invalid("invalid embedded option");
}

Status RegexTranslator::Skip() {
  if (Take("(?#")) {
    const size_t end = rest_.find(')');
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  } else {
    const size_t end = rest_.front() == '#' ? rest_.find('\n') : 0;
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  }
  return {};
}

Status RegexTranslator::Next() {
  if (rest_.starts_with("(?#") || (flags_.expanded && (IsSpace(Peek()) || Peek() == '#'))) {
    return Skip();
  }
  switch (Peek()) {
    case '(':
      return Group();
    case ')':
      rest_.remove_prefix(1);
      Atom(")");
      return --depth_ < 0 ? Unbalanced() : Status();
    case '|':
      rest_.remove_prefix(1);
      Constraint("|");
      return {};
    case '[':
      return Bracket();
    case '\\':
      return Escape();
    case '.':
      rest_.remove_prefix(1);
      Atom(".");
      return {};
    case '^':
      rest_.remove_prefix(1);
      Constraint(flags_.line_anchors ? "(?m:^)" : "^");
      return {};
    case '$':
      rest_.remove_prefix(1);
      Constraint(flags_.line_anchors ? "(?m:$)" : "$");
      return {};
    case '*':
    case '+':
    case '?':
      return Quantifier();
    case '{':
      if (IsDigit(Peek(1))) {
        return Quantifier();
      }
      break;
    default:
      break;
  }
  Literal(TakeCharacter());
  return {};
}

Status RegexTranslator::Group() {
  rest_.remove_prefix(1);
  ++depth_;
  if (!Take("?")) {
    Constraint("(");
    return {};
  }
  if (Take(":")) {
    Constraint("(?:");
    return {};
  }
  if (Take("=") || Take("!")) {
    return Refused("lookahead is");
  }
  if (Take("<=") || Take("<!")) {
    return Refused("lookbehind is");
  }
  return Invalid("a group begins with ( or (?:");
}

Status RegexTranslator::Quantifier() {
  if (!repeatable_) {
    return Invalid("quantifier operand invalid");
  }
  if (Peek() == '{') {
    MR_TRY(Bound());
  } else {
    out_.pattern += Peek();
    rest_.remove_prefix(1);
  }
  if (Take("?")) {
    out_.pattern += '?';
    out_.longest_match = false;
  }
  repeatable_ = false;
  return {};
}

Status RegexTranslator::Bound() {
  TextCursor cursor(rest_.substr(1));
  const int64_t low = DigitsValue(cursor.TakeDigits(), kRepeatMax + 1);
  std::string high_text;
  int64_t high = low;
  if (cursor.Take(',')) {
    high_text = cursor.TakeDigits();
    high = high_text.empty() ? kRepeatMax : DigitsValue(high_text, kRepeatMax + 1);
  }
  if (!cursor.Take('}')) {
    return Invalid("braces {} not balanced");
  }
  if (low > high || high > kRepeatMax) {
    return Invalid("invalid repetition count(s)", "at most 255");
  }
  const std::string_view behind = cursor.rest();
  out_.pattern += rest_.substr(0, rest_.size() - behind.size());
  rest_ = behind;
  return {};
}

Result<uint32_t> RegexTranslator::Hex(size_t digits) {
  uint32_t code = 0;
  size_t taken = 0;
  while (taken < digits && std::isxdigit(static_cast<unsigned char>(Peek())) != 0) {
    const char c = ToLower(Peek());
    code = code * 16 + static_cast<uint32_t>(IsDigit(c) ? c - '0' : c - 'a' + 10);
    rest_.remove_prefix(1);
    ++taken;
  }
  constexpr uint32_t kUnicodeMax = 0x10ffff;
  constexpr size_t kAny = 255;
  if (taken == 0 || (digits < kAny && taken < digits) || code > kUnicodeMax) {
    return Invalid("invalid escape \\ sequence");
  }
  return code;
}

Result<uint32_t> RegexTranslator::EscapedCharacter() {
  if (rest_.empty()) {
    return Invalid("invalid escape \\ sequence");
  }
  const uint32_t c = TakeCharacter();
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
    case 'B':
      return Refused("\\b and \\B, a backspace and a backslash, are",
                     "a word boundary is \\y, no word boundary \\Y");
    case 'c':
      return rest_.empty() ? Result<uint32_t>(Invalid("invalid escape \\ sequence"))
                           : TakeCharacter() & 0x1f;
    case 'e':
      return 0x1b;
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'u':
      return Hex(4);
    case 'U':
      return Hex(8);
    case 'x':
      return Hex(255);
    case '0': {
      uint32_t code = 0;
      for (int i = 0; i < 2 && Peek() >= '0' && Peek() <= '7'; ++i) {
        code = code * 8 + static_cast<uint32_t>(Peek() - '0');
        rest_.remove_prefix(1);
      }
      return code;
    }
    default:
      break;
  }
  if (c < 0x80 && IsDigit(static_cast<char>(c))) {
    return Refused("back references are");
  }
  if (HasCase(c)) {
    return Invalid("invalid escape \\ sequence");
  }
  return c;
}

Status RegexTranslator::Escape() {
  rest_.remove_prefix(1);
  constexpr std::pair<char, std::string_view> kClasses[] = {
      {'d', "[0-9]"},         {'D', "[^0-9]"},      {'w', "[0-9A-Za-z_]"},
      {'W', "[^0-9A-Za-z_]"}, {'s', "[[:space:]]"}, {'S', "[^[:space:]]"}};
  for (const auto& [letter, set] : kClasses) {
    if (Peek() == letter) {
      rest_.remove_prefix(1);
      Atom(set);
      return {};
    }
  }
  constexpr std::pair<char, std::string_view> kAnchors[] = {
      {'A', "\\A"}, {'Z', "\\z"}, {'y', "\\b"}, {'Y', "\\B"}};
  for (const auto& [letter, anchor] : kAnchors) {
    if (Peek() == letter) {
      rest_.remove_prefix(1);
      Constraint(anchor);
      return {};
    }
  }
  if (Peek() == 'm' || Peek() == 'M') {
    return Refused("\\m and \\M, begin and end of a word, are", "any word boundary is \\y");
  }
  MR_ASSIGN(const uint32_t code, EscapedCharacter());
  Literal(code);
  return {};
}

Status RegexTranslator::Bracket() {
  if (rest_.starts_with("[[:<:]]") || rest_.starts_with("[[:>:]]")) {
    return Refused("[[:<:]] and [[:>:]] are", "any word boundary is \\y");
  }
  rest_.remove_prefix(1);
  std::string set = "[";
  if (Take("^")) {
    set += flags_.dot_skips_newline ? "^\\n" : "^";
  }
  bool first = true;
  while (first || Peek() != ']') {
    if (rest_.empty()) {
      return Invalid("brackets [] not balanced");
    }
    MR_TRY(BracketItem(set));
    first = false;
  }
  rest_.remove_prefix(1);
  Atom(set + "]");
  return {};
}

Status RegexTranslator::BracketItem(std::string& set) {
  if (rest_.starts_with("[.") || rest_.starts_with("[=")) {
    return Refused("collating elements are");
  }
  if (Take("[:")) {
    return BracketClass(set);
  }
  constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"\\d", "0-9"}, {"\\D", "\\D"},       {"\\w", "0-9A-Za-z_"},
      {"\\W", "\\W"}, {"\\s", "[:space:]"}, {"\\S", "[:^space:]"}};
  for (const auto& [escape, members] : kClasses) {
    if (Take(escape)) {
      set += members;
      return {};
    }
  }
  return BracketRange(set);
}

Status RegexTranslator::BracketClass(std::string& set) {
  constexpr std::string_view kNames[] = {"alpha", "upper", "lower", "digit", "xdigit",
                                         "alnum", "print", "blank", "space", "punct",
                                         "graph", "cntrl", "word",  "ascii"};
  const size_t end = rest_.find(":]");
  const std::string_view name = rest_.substr(0, end);
  if (end == std::string_view::npos || std::ranges::find(kNames, name) == std::end(kNames)) {
    return Invalid("invalid character class");
  }
  rest_.remove_prefix(end + 2);
  const bool any_case = flags_.ignore_case && (name == "upper" || name == "lower");
  set += fmt::format("[:{}:]", any_case ? "alpha" : name);
  return {};
}

Result<uint32_t> RegexTranslator::BracketEnd() {
  if (rest_.starts_with("[:") || rest_.starts_with("[.") || rest_.starts_with("[=")) {
    return Invalid("invalid character range");
  }
  return Take("\\") ? EscapedCharacter() : TakeCharacter();
}

Status RegexTranslator::BracketRange(std::string& set) {
  MR_ASSIGN(const uint32_t low, BracketEnd());
  uint32_t high = low;
  if (Peek() == '-' && rest_.size() > 1 && Peek(1) != ']') {
    rest_.remove_prefix(1);
    MR_ASSIGN(high, BracketEnd());
  }
  if (low > high) {
    return Invalid("invalid character range");
  }
  const auto add = [&set](uint32_t from, uint32_t to) {
    AppendLiteral(set, from);
    if (to != from) {
      set += '-';
      AppendLiteral(set, to);
    }
  };
  add(low, high);
  if (!flags_.ignore_case) {
    return {};
  }
  for (const auto& [first, last] : {std::pair('a', 'z'), std::pair('A', 'Z')}) {
    const uint32_t from = std::max<uint32_t>(low, static_cast<uint32_t>(first));
    const uint32_t to = std::min<uint32_t>(high, static_cast<uint32_t>(last));
    if (from <= to) {
      add(OtherCase(from), OtherCase(to));
    }
  }
  return {};
}

}  // namespace

Result<RegexFlags> ParseRegexFlags(std::string_view letters) {
  RegexFlags flags;
  for (const char letter : letters) {
    if (letter == 'g') {
      flags.global = true;
    } else {
      MR_TRY(ApplyFlag(letter, flags));
    }
  }
  return flags;
}

Result<RegexTranslation> TranslateRegex(std::string_view pattern, const RegexFlags& flags) {
  return RegexTranslator(pattern, flags).Translate();
}

}  // namespace millrace::internal
