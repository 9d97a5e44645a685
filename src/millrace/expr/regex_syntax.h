#pragma once

#include <string>
#include <string_view>

#include "millrace/base/result.h"

namespace millrace::internal {

/// What the letters behind a pattern, or `(?letters)` at its begin, ask for.
struct RegexFlags {
  bool ignore_case = false;        ///< i; only ASCII letters have a case, as in collation "C".
  bool global = false;             ///< g: all matches, of regexp_replace.
  bool literal = false;            ///< q: the pattern is plain text.
  bool expanded = false;           ///< x: white space and comments mean nothing.
  bool dot_skips_newline = false;  ///< n, m, p: . and [^...] do not match a newline.
  bool line_anchors = false;       ///< n, m, w: ^ and $ match at every line.
};

/// Reads the flags of a regexp function. kInvalidRegex.
Result<RegexFlags> ParseRegexFlags(std::string_view letters);

/// A pattern in RE2's syntax.
struct RegexTranslation {
  std::string pattern;
  bool dot_skips_newline = false;
  /// PostgreSQL takes the longest of the leftmost matches. With a non-greedy quantifier somewhere
  /// (`*?`) it is Perl's first match instead, which is a difference in rare cases.
  bool longest_match = true;
};

/// Translates a pattern of PostgreSQL's advanced regular expressions. What RE2 cannot do is refused
/// by its name: back references, lookahead, `\m`, `\M`, collating elements. kInvalidRegex.
/// https://www.postgresql.org/docs/15/functions-matching.html#POSIX-SYNTAX-DETAILS
Result<RegexTranslation> TranslateRegex(std::string_view pattern, const RegexFlags& flags);

}  // namespace millrace::internal
