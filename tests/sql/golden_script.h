#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::golden {

/// One block of a golden file.
struct Directive {
  enum class Kind : uint8_t {
    kStatement,  ///< SQL that is added to the project.
    kRefused,    ///< SQL that the project must refuse; expects its errors.
    kAppend,     ///< Records for a table, one JSON object a line.
    kAdvance,    ///< Both clocks move forward.
    kRows,       ///< The present rows of a view or table.
    kChanges,    ///< What has changed in a view since the last such block.
    kErrors,     ///< The error rows of a table or view.
    kLate,       ///< The late rows of a view.
  };

  Kind kind = Kind::kStatement;
  int line = 0;                       ///< Of its first line, from 1.
  std::string target;                 ///< Table or view; for kAdvance the interval.
  std::string body;                   ///< SQL or records.
  std::vector<std::string> expected;  ///< Below "----".
};

/// A golden file: directives in order, and the text between them. The form is described in
/// tests/sql/README.md.
class Script {
 public:
  /// kUsageError with the line for what is not a directive.
  static Result<Script> Parse(std::string_view text);

  const std::vector<Directive>& directives() const { return directives_; }

  /// The file with the expectations of each directive replaced; one per directive, unused where it
  /// expects nothing.
  std::string WithExpectations(const std::vector<std::vector<std::string>>& expectations) const;

 private:
  std::vector<std::string> lines_;
  std::vector<Directive> directives_;
  std::vector<size_t> ends_;  // By directive: the line behind its last one.
};

/// What differs, as lines of "  same", "- expected", "+ actual".
std::string Difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual);

}  // namespace millrace::golden
