#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "millrace/base/check.h"

namespace millrace {

/// A 16-byte reference to text: up to 12 bytes inside, else a 4-byte prefix and a place in one of
/// the column's text buffers. The layout is Arrow's BinaryView
/// (https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout).
/// Unused inline bytes are zero, so that equal short texts are equal as 16 bytes.
class TextView {
 public:
  static constexpr uint32_t kInlineMax = 12;

  TextView() = default;

  static TextView Inline(std::string_view text) {
    MR_DCHECK(text.size() <= kInlineMax);
    TextView view;
    view.size_ = static_cast<uint32_t>(text.size());
    if (!text.empty()) {  // It may have no address.
      std::memcpy(view.inline_, text.data(), text.size());
    }
    return view;
  }

  /// As Inline, without a branch per size: `kInlineMax` bytes must be readable at `text`.
  static TextView InlinePadded(const char* text, uint32_t size) {
    MR_DCHECK(size <= kInlineMax);
    uint64_t low;
    uint32_t high;
    std::memcpy(&low, text, sizeof(low));
    std::memcpy(&high, text + sizeof(low), sizeof(high));
    const uint64_t low_mask = size < 8 ? (uint64_t{1} << (8 * size)) - 1 : ~uint64_t{0};
    const uint64_t high_mask = size > 8 ? (uint64_t{1} << (8 * (size - 8))) - 1 : 0;
    low &= low_mask;
    high &= static_cast<uint32_t>(high_mask);
    TextView view;
    view.size_ = size;
    std::memcpy(view.inline_, &low, sizeof(low));
    std::memcpy(view.inline_ + sizeof(low), &high, sizeof(high));
    return view;
  }

  /// `text` must lie at `offset` of text buffer number `buffer`.
  static TextView Reference(std::string_view text, uint32_t buffer, uint32_t offset) {
    MR_DCHECK(text.size() > kInlineMax);
    TextView view;
    view.size_ = static_cast<uint32_t>(text.size());
    std::memcpy(view.inline_, text.data(), sizeof(uint32_t));
    std::memcpy(view.inline_ + 4, &buffer, sizeof(buffer));
    std::memcpy(view.inline_ + 8, &offset, sizeof(offset));
    return view;
  }

  /// The same text when its buffer has another number. Only for references.
  TextView InBuffer(uint32_t buffer) const {
    TextView view = *this;
    std::memcpy(view.inline_ + 4, &buffer, sizeof(buffer));
    return view;
  }

  uint32_t size() const { return size_; }
  bool is_inline() const { return size_ <= kInlineMax; }
  /// Only valid while this object is: it points into it.
  std::string_view inline_text() const { return {inline_, size_}; }
  uint32_t buffer() const { return Load(4); }
  uint32_t offset() const { return Load(8); }

 private:
  uint32_t Load(size_t at) const {
    uint32_t value;
    std::memcpy(&value, inline_ + at, sizeof(value));
    return value;
  }

  uint32_t size_ = 0;
  char inline_[kInlineMax] = {};
};

static_assert(sizeof(TextView) == 16);

}  // namespace millrace
