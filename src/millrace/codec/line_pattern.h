#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/schema.h"

namespace re2 {
class RE2;
class StringPiece;
}  // namespace re2

namespace millrace {

/// A regular expression whose named groups are columns. One thread at a time.
class LinePattern {
 public:
  /// Errors: see LineDecoder::Create.
  static Result<LinePattern> Compile(const std::string& pattern, const Schema& schema);
  LinePattern(LinePattern&&) noexcept;
  LinePattern& operator=(LinePattern&&) noexcept;
  ~LinePattern();

  /// Matches a whole line of valid UTF-8; false when it does not fit. `fields` gets one entry per
  /// column: a part of the line, or nothing.
  bool Match(std::string_view line, std::vector<std::optional<std::string_view>>& fields);

 private:
  LinePattern(std::unique_ptr<const re2::RE2> regex, std::vector<int> groups);

  std::unique_ptr<const re2::RE2> regex_;
  std::vector<int> groups_;  // By column: its group, or 0.
  std::vector<re2::StringPiece> matched_;
};

}  // namespace millrace
