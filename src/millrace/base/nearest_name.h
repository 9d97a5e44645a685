#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// Number of one-character insertions, deletions, replacements and swaps of neighbours that turn
/// `a` into `b` (optimal string alignment distance). Time and space a.size() * b.size().
inline size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      const bool equal = a[i - 1] == b[j - 1];
      rows[i][j] =
          std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (equal ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

/// Returns the candidate that `name` is probably a misspelling of, for "did you mean"; empty when
/// none is near: more than a third of the name would differ. `names`: any range of strings.
template <typename Names>
std::string NearestName(std::string_view name, const Names& names) {
  constexpr size_t kNameBytesMax =
      128;  // Longer ones are not typing errors, and the work is n * m.
  std::string nearest;
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  for (const auto& candidate : names) {
    const std::string_view text(candidate);
    if (name.size() > kNameBytesMax || text.size() > kNameBytesMax) {
      continue;
    }
    const size_t distance = EditDistance(name, text);
    if (distance < best) {
      best = distance;
      nearest = text;
    }
  }
  return nearest;
}

}  // namespace millrace
