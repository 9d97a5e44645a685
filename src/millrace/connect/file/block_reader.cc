#include "millrace/connect/file/block_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "millrace/base/bytes.h"
#include "millrace/codec/json_decoder.h"

namespace millrace {

namespace {

/// Memory for a block, not initialised, with padding behind it.
class BlockMemory {
 public:
  explicit BlockMemory(size_t capacity)
      : bytes_(std::make_shared_for_overwrite<std::byte[]>(capacity + json::kPaddingBytes)),
        capacity_(capacity) {}

  std::span<std::byte> From(size_t begin) { return {bytes_.get() + begin, capacity_ - begin}; }
  std::string_view Text(size_t size) const { return AsText({bytes_.get(), size}); }
  size_t capacity() const { return capacity_; }

  /// Gives the first `size` bytes away. A small part is copied, lest it keep the whole alive.
  BufferPtr Take(size_t size) {
    constexpr size_t kWasteMax = 4;
    if (size < capacity_ / kWasteMax) {
      return PaddedBuffer(Text(size));
    }
    std::memset(bytes_.get() + size, 0, json::kPaddingBytes);
    return std::make_shared<const Buffer>(std::span<const std::byte>(bytes_.get(), size), bytes_);
  }

 private:
  std::shared_ptr<std::byte[]> bytes_;
  size_t capacity_;
};

}  // namespace

BlockReader::BlockReader(InputFile file, const RecordCutter& cutter, uint64_t offset,
                         size_t block_bytes, size_t record_bytes_max)
    : file_(std::move(file)),
      cutter_(cutter),
      offset_(offset),
      block_bytes_(block_bytes),
      record_bytes_max_(record_bytes_max) {}

Result<BlockReader> BlockReader::Create(InputFile file, const RecordCutter& cutter, uint64_t offset,
                                        size_t block_bytes, size_t record_bytes_max) {
  BlockReader reader(std::move(file), cutter, offset, block_bytes, record_bytes_max);
  MR_TRY(reader.Rewind());
  return reader;
}

Status BlockReader::Rewind() {
  rest_.clear();
  long_record_.reset();
  return file_.Seek(offset_);
}

Result<RecordBlock> BlockReader::Next(bool take_rest) {
  if (long_record_) {
    return SkipLongRecord(take_rest);
  }
  // One byte more than the longest record shows whether one is too long.
  const size_t room = rest_.size() < block_bytes_ ? block_bytes_ : record_bytes_max_ + 1;
  BlockMemory memory(std::max(room, rest_.size()));
  std::memcpy(memory.From(0).data(), rest_.data(), rest_.size());
  size_t size = rest_.size();
  MR_ASSIGN(const size_t read, file_.Read(memory.From(size)));
  size += read;
  const std::string_view text = memory.Text(size);
  RecordBlock block{.begin = offset_, .end = offset_, .records = nullptr, .long_record = {}};
  block.at_end = read == 0 && size < memory.capacity();
  size_t taken = cutter_.WholeRecords(text, offset_ == 0);
  if (taken == 0 && size > record_bytes_max_) {
    long_record_ =
        LongRecord{.beginning = std::string(text.substr(0, kBeginningBytes)), .bytes = size};
    rest_.clear();
    cutter_.BeginRecord();
    cutter_.FindEnd(text, offset_ == 0);
    return SkipLongRecord(take_rest);
  }
  if (taken == 0 && block.at_end && take_rest) {
    taken = size;
  }
  rest_ = text.substr(taken);
  if (taken > 0) {
    offset_ += taken;
    block.end = offset_;
    block.records = memory.Take(taken);
  }
  return block;
}

Result<RecordBlock> BlockReader::SkipLongRecord(bool take_rest) {
  constexpr size_t kChunkBytes = size_t{1} << 20;
  std::string chunk(kChunkBytes, '\0');
  MR_ASSIGN(const size_t read, file_.Read(std::as_writable_bytes(std::span(chunk))));
  const std::string_view text(chunk.data(), read);
  const size_t end = cutter_.FindEnd(text, /*file_begin=*/false);
  if (end != std::string_view::npos) {
    long_record_->bytes += end - 1;
    rest_ = text.substr(end);
    return TakeLongRecord(offset_ + long_record_->bytes + 1);
  }
  long_record_->bytes += read;
  if (read == 0 && take_rest) {
    return TakeLongRecord(offset_ + long_record_->bytes);
  }
  return RecordBlock{
      .begin = offset_, .end = offset_, .records = nullptr, .long_record = {}, .at_end = read == 0};
}

RecordBlock BlockReader::TakeLongRecord(uint64_t end) {
  RecordBlock block{
      .begin = offset_, .end = end, .records = nullptr, .long_record = std::move(long_record_)};
  long_record_.reset();
  offset_ = end;
  return block;
}

}  // namespace millrace
