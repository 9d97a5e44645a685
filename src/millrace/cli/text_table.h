#pragma once

#include <string>
#include <vector>

namespace millrace {

/// Rows of text in aligned columns, for people.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

  /// As many cells as the header has.
  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// One line per row, two spaces between columns, none at the end. Cells that are all numbers
  /// below their header stand to the right.
  std::string ToString() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "950", "12.3 k", "4.0 M".
std::string ShortCount(double count);
/// "512 B", "3.2 KiB", "1.5 GiB".
std::string ShortBytes(double bytes);

}  // namespace millrace
