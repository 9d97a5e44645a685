#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// Cuts typed text into SQL statements, at semicolons outside of quotes and comments.
class SqlSplitter {
 public:
  void Add(std::string_view text) { text_ += text; }
  /// The next whole statement, without its semicolon.
  std::optional<std::string> Next();
  /// What is left without a semicolon; empty when that is white space.
  std::string Rest();

 private:
  std::string text_;
};

}  // namespace millrace
