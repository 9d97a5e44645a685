#include "millrace/expr/like_pattern.h"

#include "millrace/expr/functions.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool EndsWithEscape(std::string_view pattern) {
  size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') {
    ++backslashes;
  }
  return backslashes % 2 == 1;
}

}  // namespace

bool LikePattern::Assign(std::string_view pattern, bool ignore_case) {
  if (EndsWithEscape(pattern)) {
    return false;
  }
  pattern_.assign(pattern);
  ignore_case_ = ignore_case;
  shape_ = Shape::kGeneral;
  plain_ = pattern_;
  const bool open_start = plain_.starts_with('%');
  plain_.remove_prefix(open_start ? 1 : 0);
  const bool open_end = plain_.ends_with('%');
  plain_.remove_suffix(open_end ? 1 : 0);
  if (!ignore_case && plain_.find_first_of("%_\\") == std::string_view::npos) {
    shape_ = open_start ? (open_end ? Shape::kInfix : Shape::kSuffix)
                        : (open_end ? Shape::kPrefix : Shape::kExact);
    shape_ = pattern == "%" ? Shape::kPrefix : shape_;
  }
  return true;
}

bool LikePattern::Matches(std::string_view text) const {
  switch (shape_) {
    case Shape::kExact:
      return text == plain_;
    case Shape::kPrefix:
      return text.starts_with(plain_);
    case Shape::kSuffix:
      return text.ends_with(plain_);
    case Shape::kInfix:
      return text.find(plain_) != std::string_view::npos;
    case Shape::kGeneral:
      break;
  }
  return MatchesGeneral(text);
}

bool LikePattern::MatchesOne(size_t& pattern_at, std::string_view text, size_t& text_at) const {
  char wanted = pattern_[pattern_at];
  if (wanted == '_') {
    ++pattern_at;
    text_at += CharacterOffset(text.substr(text_at), 1);
    return true;
  }
  size_t next = pattern_at + 1;
  if (wanted == '\\') {
    wanted = pattern_[next++];
  }
  const char found = text[text_at];
  if (wanted != found && !(ignore_case_ && Lower(wanted) == Lower(found))) {
    return false;
  }
  pattern_at = next;
  ++text_at;
  return true;
}

bool LikePattern::MatchesGeneral(std::string_view text) const {
  // Only the last % needs to be tried again: what is before it has matched as early as possible.
  constexpr size_t kNone = std::string::npos;
  size_t pattern_at = 0;
  size_t text_at = 0;
  size_t retry_pattern = kNone;
  size_t retry_text = 0;
  while (text_at < text.size()) {
    if (pattern_at < pattern_.size() && pattern_[pattern_at] == '%') {
      retry_pattern = ++pattern_at;
      retry_text = text_at;
    } else if (pattern_at >= pattern_.size() || !MatchesOne(pattern_at, text, text_at)) {
      if (retry_pattern == kNone) {
        return false;
      }
      retry_text += CharacterOffset(text.substr(retry_text), 1);
      text_at = retry_text;
      pattern_at = retry_pattern;
    }
  }
  return pattern_.find_first_not_of('%', pattern_at) == kNone;
}

namespace {

template <bool kIgnoreCase, bool kNegated>
Column LikeKernel(const KernelCall& call) {
  LikePattern pattern;
  const Operand& patterns = call.argument(1);
  bool valid = patterns.constant && pattern.Assign(patterns.Text(0), kIgnoreCase);
  auto words = PackBits(call.rows, [&](size_t row) {
    if (!call.IsValid(row)) {
      return false;
    }
    if (!patterns.constant) {
      valid = pattern.Assign(patterns.Text(row), kIgnoreCase);
    }
    if (!valid) {
      call.Fail(row, ErrorCode::kInvalidRegex,
                "a LIKE pattern must not end with the escape character");
      return false;
    }
    return pattern.Matches(call.argument(0).Text(row)) != kNegated;
  });
  return BooleanResult(call, std::move(words));
}

/// Rewrites a pattern with another escape character to one with the backslash.
Column LikeEscapeKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view escape = call.argument(1).Text(row);
    if (CharacterCount(escape) > 1) {
      call.Fail(row, ErrorCode::kInvalidRegex, "an escape must be one character or none");
      out.AppendNull();
      return;
    }
    std::string_view pattern = call.argument(0).Text(row);
    scratch.clear();
    while (!pattern.empty()) {
      const bool escaped = !escape.empty() && pattern.starts_with(escape);
      pattern.remove_prefix(escaped ? escape.size() : 0);
      const std::string_view character = CharacterRange(pattern, 0, 1);
      scratch += escaped || character == "\\" ? "\\" : "";
      scratch += character;
      pattern.remove_prefix(character.size());
    }
    out.AppendText(scratch);
  });
}

void AddLike(std::vector<ScalarFunction>& out, std::string_view name, Kernel kernel) {
  out.push_back({.name = name,
                 .arguments = {TypeId::kText, TypeId::kText},
                 .result = DataType::Of(TypeId::kBoolean),
                 .kernel = kernel});
}

}  // namespace

void AddPatternFunctions(std::vector<ScalarFunction>& out) {
  AddLike(out, "~~", LikeKernel<false, false>);
  AddLike(out, "!~~", LikeKernel<false, true>);
  AddLike(out, "~~*", LikeKernel<true, false>);
  AddLike(out, "!~~*", LikeKernel<true, true>);
  out.push_back({.name = "like_escape",
                 .arguments = {TypeId::kText, TypeId::kText},
                 .result = DataType::Of(TypeId::kText),
                 .kernel = LikeEscapeKernel});
}

}  // namespace millrace::internal
