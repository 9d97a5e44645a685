#include "millrace/cli/text_table.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace millrace {

namespace {

/// Characters of UTF-8 text; every one is taken as one column wide.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool IsNumber(std::string_view text) {
  return text.empty() || text == "-" || (text[0] >= '0' && text[0] <= '9');
}

std::string Shorten(double value, double step, std::span<const std::string_view> units) {
  size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  const std::string number =
      unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
  return units[unit].empty() ? number : fmt::format("{} {}", number, units[unit]);
}

}  // namespace

std::string TextTable::ToString() const {
  std::string text;
  std::vector<size_t> widths(rows_.front().size());
  std::vector<bool> is_number(rows_.front().size(), true);
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], WidthOf(rows_[r][c]));
      is_number[c] = is_number[c] && (r == 0 || IsNumber(rows_[r][c]));
    }
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string space(widths[c] - WidthOf(row[c]), ' ');
      line += c == 0 ? "" : "  ";
      line += is_number[c] ? space + row[c] : row[c] + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string ShortCount(double count) {
  constexpr std::array<std::string_view, 4> kUnits{"", "k", "M", "G"};
  return Shorten(count, 1000, kUnits);
}

std::string ShortBytes(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  return Shorten(bytes, 1024, kUnits);
}

}  // namespace millrace
