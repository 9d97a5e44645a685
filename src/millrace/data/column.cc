#include "millrace/data/column.h"

#include "millrace/base/check.h"

namespace millrace {

Column::Column(DataType type, size_t size, BufferPtr validity, BufferPtr values,
               std::vector<BufferPtr> text_buffers)
    : type_(type),
      size_(size),
      validity_(std::move(validity)),
      values_(std::move(values)),
      text_buffers_(std::move(text_buffers)) {
  const size_t bytes =
      type.id == TypeId::kBoolean ? WordsForBits(size) * sizeof(uint64_t) : size * type.width();
  MR_CHECK(values_ != nullptr && values_->size() >= bytes, "values of {} {}", size,
           type.ToString());
  MR_CHECK(validity_ == nullptr || validity_->size() >= WordsForBits(size) * sizeof(uint64_t));
  values_data_ = values_->data();
  if (validity_ != nullptr) {
    validity_words_ = reinterpret_cast<const uint64_t*>(validity_->data());
  }
}

size_t Column::null_count() const {
  if (validity_ == nullptr) {
    return 0;
  }
  return size_ - CountBits({validity_words_, WordsForBits(size_)});
}

size_t Column::MemoryBytes() const {
  size_t bytes = values_ == nullptr ? 0 : values_->size();
  bytes += validity_ == nullptr ? 0 : validity_->size();
  for (const BufferPtr& buffer : text_buffers_) {
    bytes += buffer->size();
  }
  return bytes;
}

namespace {

template <typename T>
BufferPtr GatherValues(const std::byte* values, std::span<const uint32_t> rows) {
  const auto* from = reinterpret_cast<const T*>(values);
  std::vector<T> to(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    to[i] = from[rows[i]];
  }
  return Buffer::Own(std::move(to));
}

BufferPtr GatherBits(const uint64_t* words, std::span<const uint32_t> rows) {
  std::vector<uint64_t> to(WordsForBits(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    to[i / kBitsPerWord] |= uint64_t{GetBit(words, rows[i])} << (i % kBitsPerWord);
  }
  return Buffer::Own(std::move(to));
}

BufferPtr GatherFixed(const Column& column, std::span<const uint32_t> rows) {
  const std::byte* values = column.values_buffer()->data();
  switch (column.type().width()) {
    case 0:
      return GatherBits(column.Bits(), rows);
    case sizeof(int16_t):
      return GatherValues<int16_t>(values, rows);
    case sizeof(int32_t):
      return GatherValues<int32_t>(values, rows);
    case sizeof(int64_t):
      return GatherValues<int64_t>(values, rows);
    default:
      return GatherValues<std::array<int64_t, 2>>(values, rows);
  }
}

}  // namespace

Column Gather(const Column& column, std::span<const uint32_t> rows) {
  BufferPtr validity;
  if (column.may_have_nulls()) {
    validity = GatherBits(column.validity(), rows);
  }
  return {column.type(), rows.size(), std::move(validity), GatherFixed(column, rows),
          column.text_buffers()};
}

Column NullColumn(DataType type, size_t size) {
  const size_t words = WordsForBits(size);
  const size_t bytes = type.id == TypeId::kBoolean ? words * sizeof(uint64_t) : size * type.width();
  return {type, size, Buffer::Own(std::vector<uint64_t>(words)),
          Buffer::Own(std::vector<std::byte>(bytes))};
}

}  // namespace millrace
