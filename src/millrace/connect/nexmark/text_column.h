#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/data/column.h"

namespace millrace::nexmark {

/// A column of text under construction, some rows of which have none. Texts are written in place.
class TextColumn {
 public:
  /// `bytes_expected`: of all texts together.
  TextColumn(size_t rows, size_t bytes_expected) : views_(rows) { Grow(bytes_expected); }

  /// Returns room for `size_max` bytes; write up to so many, then call Set.
  char* Room(size_t size_max) {
    if (capacity_ - size_ < size_max) [[unlikely]] {
      Grow(size_max);
    }
    return bytes_.get() + size_;
  }

  /// The first `size` bytes of the room are the row's text.
  void Set(size_t row, size_t size) {
    const std::string_view text(bytes_.get() + size_, size);
    if (size <= TextView::kInlineMax) {
      views_[row] = TextView::Inline(text);
      return;
    }
    views_[row] = TextView::Reference(text, 0, static_cast<uint32_t>(size_));
    size_ += size;
  }

  void Set(size_t row, const TextView& inline_text) { views_[row] = inline_text; }

  Column Finish(BufferPtr validity) {
    const size_t rows = views_.size();
    std::vector<BufferPtr> buffers;
    if (size_ > 0) {
      std::shared_ptr<char[]> owner(std::move(bytes_));
      const auto bytes = std::as_bytes(std::span(owner.get(), size_));
      buffers.push_back(std::make_shared<const Buffer>(bytes, std::move(owner)));
    }
    return {DataType::Of(TypeId::kText), rows, std::move(validity), Buffer::Own(std::move(views_)),
            std::move(buffers)};
  }

 private:
  void Grow(size_t more) {
    const size_t capacity = std::max(capacity_ + capacity_ / 2, size_ + more);
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) {
      std::memcpy(bytes.get(), bytes_.get(), size_);
    }
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::vector<TextView> views_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace millrace::nexmark
