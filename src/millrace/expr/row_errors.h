#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "millrace/base/error.h"

namespace millrace {

/// One row whose evaluation failed; its value is NULL in the result.
struct RowError {
  uint32_t row = 0;
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

/// Collects the failed rows of one evaluation. A row may be added several times, by several
/// expressions; the first one counts. Not thread-safe.
class RowErrors {
 public:
  void Add(uint32_t row, ErrorCode code, std::string message) {
    entries_.push_back({row, code, std::move(message)});
  }

  bool empty() const { return entries_.empty(); }
  /// In the order of addition, with repeats.
  const std::vector<RowError>& entries() const { return entries_; }

  /// Hands out the first error of each failed row, rows ascending, and starts again empty.
  std::vector<RowError> Take() {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const RowError& a, const RowError& b) { return a.row < b.row; });
    const auto same_row = [](const RowError& a, const RowError& b) { return a.row == b.row; };
    entries_.erase(std::unique(entries_.begin(), entries_.end(), same_row), entries_.end());
    return std::exchange(entries_, {});
  }

 private:
  std::vector<RowError> entries_;
};

}  // namespace millrace
