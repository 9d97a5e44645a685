#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/data/bitmap.h"
#include "millrace/data/buffer.h"
#include "millrace/data/text_view.h"
#include "millrace/data/types.h"

namespace millrace {

/// One column of a batch: `size()` values of one type with an optional validity bitmap, laid out as
/// Arrow lays them out. Immutable; copying shares the buffers. Safe to read from many threads.
///
/// Values of NULL rows are zero (empty text), never uninitialised.
class Column {
 public:
  Column() = default;
  /// `validity` null = no NULLs; else WordsForBits(size) words. `values`: size * type.width()
  /// bytes, for boolean WordsForBits(size) words. `text_buffers`: only for variable types.
  Column(DataType type, size_t size, BufferPtr validity, BufferPtr values,
         std::vector<BufferPtr> text_buffers = {});

  const DataType& type() const { return type_; }
  size_t size() const { return size_; }

  bool may_have_nulls() const { return validity_ != nullptr; }
  bool IsNull(size_t row) const { return validity_ != nullptr && !GetBit(validity_words_, row); }
  /// Null when the column has no NULLs.
  const uint64_t* validity() const { return validity_words_; }
  size_t null_count() const;

  /// Fixed-width values; T must be the type's representation.
  template <typename T>
  std::span<const T> Values() const {
    MR_DCHECK(sizeof(T) == type_.width());
    return {reinterpret_cast<const T*>(values_data_), size_};
  }

  /// Boolean values as bits.
  const uint64_t* Bits() const { return reinterpret_cast<const uint64_t*>(values_data_); }
  bool Bool(size_t row) const { return GetBit(Bits(), row); }

  /// Text, bytea, jsonb or an array; lives as long as this column's buffers and this column.
  std::string_view Text(size_t row) const {
    const auto* views = reinterpret_cast<const TextView*>(values_data_);
    const TextView& view = views[row];
    if (view.is_inline()) {
      return view.inline_text();
    }
    return {reinterpret_cast<const char*>(text_buffers_[view.buffer()]->data()) + view.offset(),
            view.size()};
  }

  const BufferPtr& values_buffer() const { return values_; }
  const BufferPtr& validity_buffer() const { return validity_; }
  const std::vector<BufferPtr>& text_buffers() const { return text_buffers_; }

  /// Bytes of all buffers; shared ones count fully.
  size_t MemoryBytes() const;

 private:
  DataType type_;
  size_t size_ = 0;
  const std::byte* values_data_ = nullptr;
  const uint64_t* validity_words_ = nullptr;
  BufferPtr validity_;
  BufferPtr values_;
  std::vector<BufferPtr> text_buffers_;
};

/// Returns the rows of `column` named by `rows` (ascending or not, repeats allowed), sharing text.
Column Gather(const Column& column, std::span<const uint32_t> rows);

/// Returns `size` NULLs.
Column NullColumn(DataType type, size_t size);

}  // namespace millrace
