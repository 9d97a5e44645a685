#include "millrace/cli/sql_splitter.h"

#include <algorithm>
#include <utility>

namespace millrace {

namespace {

constexpr std::string_view kSpace = " \t\r\n";

/// Behind the quoted text or comment that begins at `at`; npos when it does not end. `at` itself
/// when neither begins there.
size_t SkipQuoted(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  const auto behind = [&](std::string_view end, size_t from) {
    const size_t found = text.find(end, from);
    return found == std::string_view::npos ? found : found + end.size();
  };
  if (rest.starts_with('\'') || rest.starts_with('"')) {
    // A doubled quote is the end of one text and the begin of the next, which comes to the same.
    return behind(rest.substr(0, 1), at + 1);
  }
  if (rest.starts_with("--")) {
    return behind("\n", at + 2);
  }
  return rest.starts_with("/*") ? behind("*/", at + 2) : at;
}

/// Whether there are just spaces and comments; one that does not end is more.
bool IsBlank(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (kSpace.contains(text[at])) {
      ++at;
      continue;
    }
    const bool is_line = text.substr(at).starts_with("--");
    if (!is_line && !text.substr(at).starts_with("/*")) {
      return false;
    }
    at = SkipQuoted(text, at);
    if (at == std::string_view::npos) {
      return is_line;
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> SqlSplitter::Next() {
  for (size_t at = 0; at < text_.size();) {
    const size_t behind = SkipQuoted(text_, at);
    if (behind == std::string::npos) {
      return std::nullopt;
    }
    if (behind != at) {
      at = behind;
    } else if (text_[at] == ';') {
      std::string statement = text_.substr(0, at);
      text_.erase(0, at + 1);
      text_.erase(0, std::min(text_.find_first_not_of(kSpace), text_.size()));
      if (!IsBlank(statement)) {
        return statement;
      }
      at = 0;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

std::string SqlSplitter::Rest() {
  std::string rest = std::exchange(text_, {});
  return IsBlank(rest) ? std::string() : rest;
}

}  // namespace millrace
