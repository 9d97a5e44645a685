#include "millrace/data/column_builder.h"

#include <algorithm>
#include <utility>

#include "millrace/base/check.h"

namespace millrace {

namespace {

/// Own text moves to a new buffer beyond this, so that offsets stay far below 32 bits.
constexpr size_t kOwnTextBytesMax = size_t{1} << 30;

}  // namespace

void ColumnBuilder::Reserve(size_t rows) { values_.Reserve(rows * width_); }

void ColumnBuilder::AppendText(std::string_view text) {
  if (text.size() <= TextView::kInlineMax) {
    AppendFixed(TextView::Inline(text));
    return;
  }
  if (own_text_.size() + text.size() > kOwnTextBytesMax) {
    SealOwnText();
  }
  if (!own_text_slot_) {
    own_text_slot_ = static_cast<uint32_t>(text_buffers_.size());
    text_buffers_.push_back(nullptr);
  }
  const auto offset = static_cast<uint32_t>(own_text_.size());
  own_text_.insert(own_text_.end(), text.begin(), text.end());
  AppendFixed(TextView::Reference(text, *own_text_slot_, offset));
}

uint32_t ColumnBuilder::AddBacking(BufferPtr buffer) {
  text_buffers_.push_back(std::move(buffer));
  return static_cast<uint32_t>(text_buffers_.size() - 1);
}

void ColumnBuilder::AppendNull() { AppendNulls(1); }

void ColumnBuilder::AppendNulls(size_t count) {
  if (count == 0) {
    return;
  }
  if (!has_nulls_) {
    has_nulls_ = true;
    validity_.AppendMany(true, size_);
  }
  validity_.AppendMany(false, count);
  if (type_.id == TypeId::kBoolean) {
    bits_.AppendMany(false, count);
  } else {
    values_.AppendZeros(count * width_);
  }
  size_ += count;
}

void ColumnBuilder::AppendFrom(const Column& column, size_t row) {
  MR_DCHECK(column.type() == type_);
  if (column.IsNull(row)) {
    AppendNull();
  } else if (type_.id == TypeId::kBoolean) {
    AppendBool(column.Bool(row));
  } else if (type_.is_variable()) {
    AppendText(column.Text(row));
  } else {
    const std::byte* value = column.values_buffer()->data() + row * width_;
    values_.Append(std::span(value, width_));
    AppendValid();
  }
}

void ColumnBuilder::AppendColumn(const Column& column) {
  MR_DCHECK(column.type() == type_);
  const size_t count = column.size();
  if (column.may_have_nulls() || has_nulls_) {
    if (!has_nulls_) {
      has_nulls_ = true;
      validity_.AppendMany(true, size_);
    }
    for (size_t row = 0; row < count; ++row) {
      validity_.Append(!column.IsNull(row));
    }
  }
  if (type_.id == TypeId::kBoolean) {
    for (size_t row = 0; row < count; ++row) {
      bits_.Append(column.Bool(row));
    }
  } else if (type_.is_variable()) {
    const auto base = static_cast<uint32_t>(text_buffers_.size());
    text_buffers_.insert(text_buffers_.end(), column.text_buffers().begin(),
                         column.text_buffers().end());
    for (const TextView& view : column.Values<TextView>()) {
      const TextView moved = view.is_inline() ? view : view.InBuffer(base + view.buffer());
      values_.Append(moved);
    }
  } else {
    const std::byte* values = column.values_buffer()->data();
    values_.Append(std::span(values, count * width_));
  }
  size_ += count;
}

void ColumnBuilder::Truncate(size_t size) {
  MR_DCHECK(size <= size_);
  if (has_nulls_) {
    validity_.Truncate(size);
  }
  if (type_.id == TypeId::kBoolean) {
    bits_.Truncate(size);
  } else {
    values_.Truncate(size * width_);
  }
  size_ = size;
}

void ColumnBuilder::SealOwnText() {
  if (own_text_slot_) {
    text_buffers_[*own_text_slot_] = Buffer::Own(std::exchange(own_text_, {}));
    own_text_slot_.reset();
  }
}

Column ColumnBuilder::Finish() {
  SealOwnText();
  BufferPtr validity = has_nulls_ ? Buffer::Own(validity_.Take()) : nullptr;
  BufferPtr values = type_.id == TypeId::kBoolean ? Buffer::Own(bits_.Take()) : values_.Take();
  has_nulls_ = false;
  return {type_, std::exchange(size_, 0), std::move(validity), std::move(values),
          std::exchange(text_buffers_, {})};
}

}  // namespace millrace
