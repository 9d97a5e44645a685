#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/codec/columnar_format.h"
#include "millrace/data/column.h"

namespace millrace::columnar {

/// Numbers the distinct texts of a column in order of first sight, up to kDictionaryMax of them.
/// For one column; not thread-safe.
class TextDictionary {
 public:
  explicit TextDictionary(const Column& column);

  /// Returns whether few of the rows looked at are distinct, so that numbering all may pay.
  static bool LooksRepetitive(const Column& column);

  /// Writes the number of each row's text; returns false when there are more than kDictionaryMax.
  bool NumberAll(std::span<uint8_t> numbers);

  /// A row that holds each distinct text, by number.
  const std::vector<uint32_t>& rows() const { return rows_; }

 private:
  std::optional<uint8_t> Number(size_t row);
  std::string_view LongText(const TextView& view) const {
    return {reinterpret_cast<const char*>(buffers_[view.buffer()]) + view.offset(), view.size()};
  }

  static constexpr size_t kSlots = 4 * kDictionaryMax;
  static constexpr uint16_t kEmpty = 0xFFFF;

  uint64_t Hash(size_t row) const;
  bool Equal(size_t a, size_t b) const;

  std::vector<const std::byte*> buffers_;
  std::span<const TextView> views_;
  std::vector<uint32_t> rows_;
  std::vector<uint64_t> hashes_;
  std::array<uint16_t, kSlots> slots_{};
};

}  // namespace millrace::columnar
