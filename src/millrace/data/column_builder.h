#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "millrace/data/column.h"
#include "millrace/data/growable_bytes.h"

namespace millrace {

/// Builds one column value by value. Any value may be taken back with Truncate, so that a row that
/// fails in its fifth column leaves nothing behind. Reusable after Finish. Not thread-safe.
///
/// Append calls must fit the type: AppendFixed<T> for the type's representation, AppendBool for
/// boolean, AppendText for text, bytea, jsonb and arrays.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(DataType type) : type_(type), width_(type.width()) {}

  const DataType& type() const { return type_; }
  size_t size() const { return size_; }

  void Reserve(size_t rows);

  template <typename T>
  void AppendFixed(T value) {
    MR_DCHECK(sizeof(T) == width_);
    values_.Append(value);
    AppendValid();
  }

  void AppendBool(bool value) {
    bits_.Append(value);
    AppendValid();
  }

  /// Copies text longer than 12 bytes into the column's own buffer.
  void AppendText(std::string_view text);

  /// References text that lies in `backing` (see AddBacking) instead of copying it.
  void AppendBackedText(std::string_view text, uint32_t backing) {
    const TextView view =
        text.size() <= TextView::kInlineMax
            ? TextView::Inline(text)
            : TextView::Reference(
                  text, backing,
                  static_cast<uint32_t>(reinterpret_cast<const std::byte*>(text.data()) -
                                        text_buffers_[backing]->data()));
    AppendFixed(view);
  }

  /// Adds a buffer that AppendBackedText may refer to; at most 4 GiB. Returns its number, valid
  /// until Finish.
  uint32_t AddBacking(BufferPtr buffer);

  void AppendNull();
  void AppendNulls(size_t count);

  /// Appends row `row` of a column of the same type; copies long text.
  void AppendFrom(const Column& column, size_t row);
  /// Appends a whole column of the same type, sharing its text buffers.
  void AppendColumn(const Column& column);

  /// Drops the rows from `size` on.
  void Truncate(size_t size);

  /// Returns the column and starts again empty.
  Column Finish();

 private:
  void AppendValid() {
    ++size_;
    if (has_nulls_) {
      validity_.Append(true);
    }
  }
  void SealOwnText();

  DataType type_;
  size_t width_;
  size_t size_ = 0;
  bool has_nulls_ = false;
  BitmapBuilder validity_;  // Only kept from the first NULL on.
  BitmapBuilder bits_;
  GrowableBytes values_;
  std::vector<BufferPtr> text_buffers_;  // The slot of own text is null until sealed.
  std::optional<uint32_t> own_text_slot_;
  std::vector<char> own_text_;
};

}  // namespace millrace
