#include "golden_script.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace millrace::golden {

namespace {

using Kind = Directive::Kind;

constexpr std::string_view kExpected = "----";

struct Form {
  std::string_view words;  ///< What the line begins with.
  Kind kind;
  bool has_target;
  bool has_body;
  bool has_expected;
};
constexpr Form kForms[] = {
    {"statement ok", Kind::kStatement, false, true, false},
    {"statement error", Kind::kRefused, false, true, true},
    {"append", Kind::kAppend, true, true, false},
    {"advance", Kind::kAdvance, true, false, false},
    {"rows", Kind::kRows, true, false, true},
    {"changes", Kind::kChanges, true, false, true},
    {"errors", Kind::kErrors, true, false, true},
    {"late", Kind::kLate, true, false, true},
};

const Form& FormOf(Kind kind) { return *std::ranges::find(kForms, kind, &Form::kind); }

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<Directive> ReadHead(std::string_view line) {
  for (const Form& form : kForms) {
    if (!line.starts_with(form.words)) {
      continue;
    }
    const std::string_view rest = line.substr(form.words.size());
    const bool fits = form.has_target ? rest.size() > 1 && rest.front() == ' ' : rest.empty();
    if (fits) {
      return Directive{.kind = form.kind,
                       .target = std::string(form.has_target ? rest.substr(1) : rest)};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Script> Script::Parse(std::string_view text) {
  Script script;
  script.lines_ = SplitLines(text);
  const auto& lines = script.lines_;
  size_t at = 0;
  while (at < lines.size()) {
    if (lines[at].empty() || lines[at].front() == '#') {
      ++at;
      continue;
    }
    auto directive = ReadHead(lines[at]);
    if (!directive) {
      return Err(ErrorCode::kUsageError,
                 fmt::format("line {}: not a directive: {}", at + 1, lines[at]));
    }
    directive->line = static_cast<int>(at) + 1;
    const Form& form = FormOf(directive->kind);
    bool expects = false;
    for (++at; at < lines.size() && !lines[at].empty(); ++at) {
      if (!expects && lines[at] == kExpected) {
        expects = true;
      } else if (expects) {
        directive->expected.push_back(lines[at]);
      } else {
        directive->body += lines[at] + "\n";
      }
    }
    if (expects != form.has_expected || directive->body.empty() == form.has_body) {
      return Err(
          ErrorCode::kUsageError,
          fmt::format("line {}: {} {} a body and {} expectations", directive->line, form.words,
                      form.has_body ? "needs" : "has not", form.has_expected ? "needs" : "has no"));
    }
    script.directives_.push_back(*std::move(directive));
    script.ends_.push_back(at);
  }
  return script;
}

std::string Script::WithExpectations(
    const std::vector<std::vector<std::string>>& expectations) const {
  std::string text;
  const auto add = [&](std::string_view line) {
    text += line;
    text += '\n';
  };
  size_t line = 0;
  for (size_t i = 0; i < directives_.size(); ++i) {
    const Directive& directive = directives_[i];
    const size_t kept = ends_[i] - directive.expected.size();
    for (; line < kept; ++line) {
      add(lines_[line]);
    }
    for (const std::string& expected :
         FormOf(directive.kind).has_expected ? expectations[i] : directive.expected) {
      add(expected);
    }
    line = ends_[i];
  }
  for (; line < lines_.size(); ++line) {
    add(lines_[line]);
  }
  return text;
}

std::string Difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual) {
  // Longest common subsequence: lists are a few dozen lines.
  std::vector<std::vector<size_t>> common(expected.size() + 1,
                                          std::vector<size_t>(actual.size() + 1));
  for (size_t i = expected.size(); i-- > 0;) {
    for (size_t j = actual.size(); j-- > 0;) {
      common[i][j] = expected[i] == actual[j] ? common[i + 1][j + 1] + 1
                                              : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string text;
  size_t i = 0;
  size_t j = 0;
  while (i < expected.size() || j < actual.size()) {
    if (i < expected.size() && j < actual.size() && expected[i] == actual[j]) {
      text += fmt::format("  {}\n", expected[i]);
      ++i;
      ++j;
    } else if (j == actual.size() ||
               (i < expected.size() && common[i + 1][j] >= common[i][j + 1])) {
      text += fmt::format("- {}\n", expected[i++]);
    } else {
      text += fmt::format("+ {}\n", actual[j++]);
    }
  }
  return text;
}

}  // namespace millrace::golden
