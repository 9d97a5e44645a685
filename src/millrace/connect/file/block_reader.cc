#include "millrace/connect/file/line_reader.h"

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

LineReader::LineReader(InputFile file, uint64_t offset, size_t block_bytes, size_t line_bytes_max)
    : file_(std::move(file)),
      offset_(offset),
      block_bytes_(block_bytes),
      line_bytes_max_(line_bytes_max) {}

Result<LineReader> LineReader::Create(InputFile file, uint64_t offset, size_t block_bytes,
                                      size_t line_bytes_max) {
  LineReader reader(std::move(file), offset, block_bytes, line_bytes_max);
  MR_TRY(reader.Rewind());
  return reader;
}

Status LineReader::Rewind() {
  rest_.clear();
  long_line_.reset();
  return file_.Seek(offset_);
}

Result<LineBlock> LineReader::Next(bool take_rest) {
  if (long_line_) {
    return SkipLongLine(take_rest);
  }
  // One byte more than the longest line shows whether a line is too long.
  const size_t room = rest_.size() < block_bytes_ ? block_bytes_ : line_bytes_max_ + 1;
  BlockMemory memory(std::max(room, rest_.size()));
  std::memcpy(memory.From(0).data(), rest_.data(), rest_.size());
  size_t size = rest_.size();
  MR_ASSIGN(const size_t read, file_.Read(memory.From(size)));
  size += read;
  const std::string_view text = memory.Text(size);
  LineBlock block{.begin = offset_, .end = offset_, .lines = nullptr, .long_line = {}};
  block.at_end = read == 0 && size < memory.capacity();
  size_t taken = text.rfind('\n') + 1;
  if (taken == 0 && size > line_bytes_max_) {
    long_line_ = LongLine{.beginning = std::string(text.substr(0, kBeginningBytes)), .bytes = size};
    rest_.clear();
    return SkipLongLine(take_rest);
  }
  if (taken == 0 && block.at_end && take_rest) {
    taken = size;
  }
  rest_ = text.substr(taken);
  if (taken > 0) {
    offset_ += taken;
    block.end = offset_;
    block.lines = memory.Take(taken);
  }
  return block;
}

Result<LineBlock> LineReader::SkipLongLine(bool take_rest) {
  constexpr size_t kChunkBytes = size_t{1} << 20;
  std::string chunk(kChunkBytes, '\0');
  MR_ASSIGN(const size_t read, file_.Read(std::as_writable_bytes(std::span(chunk))));
  const std::string_view text(chunk.data(), read);
  const size_t newline = text.find('\n');
  if (newline != std::string_view::npos) {
    long_line_->bytes += newline;
    rest_ = text.substr(newline + 1);
    return TakeLongLine(offset_ + long_line_->bytes + 1);
  }
  long_line_->bytes += read;
  if (read == 0 && take_rest) {
    return TakeLongLine(offset_ + long_line_->bytes);
  }
  return LineBlock{
      .begin = offset_, .end = offset_, .lines = nullptr, .long_line = {}, .at_end = read == 0};
}

LineBlock LineReader::TakeLongLine(uint64_t end) {
  LineBlock block{
      .begin = offset_, .end = end, .lines = nullptr, .long_line = std::move(long_line_)};
  long_line_.reset();
  offset_ = end;
  return block;
}

}  // namespace millrace
