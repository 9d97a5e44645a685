#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// Cuts typed text into SQL statements, at semicolons outside of quotes and comments.
class SqlSplitter {
 public:
  void Add(std::string_view text) { text_ += text; }
  /// The next whole statement, without its semicolon; none of just space and comments.
  std::optional<std::string> Next();
  /// What is left without a semicolon, also in a quote or comment that does not end; empty when
  /// that is just space and comments.
  std::string Rest();

 private:
  std::string text_;
};

}  // namespace millrace
