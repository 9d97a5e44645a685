#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "millrace/plan/definitions.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/located_error.h"

namespace millrace::internal {

/// A lexical token: bytes [begin, end) of the text.
struct Token {
  int begin = 0;
  int end = 0;
};

/// A file's text with its tokens and libpg_query's parse tree. Immutable after Parse; trees refer
/// to it, so it does not move.
class Script final {
 public:
  static constexpr size_t kTextBytesMax = size_t{1} << 20;
  static constexpr size_t kTokensMax = 50'000;
  static constexpr size_t kNestingMax = 200;

  /// kSqlSyntax, kSqlTooLarge.
  static Bound<std::unique_ptr<const Script>> Parse(const SqlFile& file);

  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  const std::string& text() const { return file_.text; }
  const boost::json::array& statements() const;
  SourceLocation Locate(int offset) const { return Locate(file_, offset); }
  static SourceLocation Locate(const SqlFile& file, int offset);

  /// The integer literal at `offset`, where the parse tree shows 0: libpg_query 15 leaves out
  /// negative ones.
  int64_t IntegerAt(int offset) const;

 private:
  explicit Script(const SqlFile& file) : file_(file) {}
  Bound<void> Scan();
  Bound<void> ParseTree();

  SqlFile file_;
  std::vector<Token> tokens_;
  // Its memory is never given back piece by piece, so that destroying a deep tree does not recurse.
  boost::json::monotonic_resource memory_;
  boost::json::value tree_;
};

}  // namespace millrace::internal
