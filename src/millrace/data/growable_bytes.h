#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "millrace/data/buffer.h"

namespace millrace {

/// Bytes that grow at the end. Unlike a vector it does not clear what is about to be written, and
/// an append is a comparison and a store.
class GrowableBytes {
 public:
  size_t size() const { return size_; }
  std::byte* data() { return bytes_.get(); }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void Append(const T& value) {
    if (capacity_ - size_ < sizeof(T)) [[unlikely]] {
      Grow(sizeof(T));
    }
    std::memcpy(bytes_.get() + size_, &value, sizeof(T));
    size_ += sizeof(T);
  }

  void Append(std::span<const std::byte> bytes) {
    if (bytes.empty()) {
      return;
    }
    Reserve(bytes.size());
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  void AppendZeros(size_t count) {
    if (count == 0) {
      return;
    }
    Reserve(count);
    std::memset(bytes_.get() + size_, 0, count);
    size_ += count;
  }

  /// Makes room for `more` bytes.
  void Reserve(size_t more) {
    if (capacity_ - size_ < more) {
      Grow(more);
    }
  }

  void Truncate(size_t size) { size_ = std::min(size_, size); }

  /// Hands out the bytes and starts again empty.
  BufferPtr Take() {
    std::shared_ptr<std::byte[]> owner(std::move(bytes_));
    const std::span<const std::byte> bytes(owner.get(), std::exchange(size_, 0));
    capacity_ = 0;
    return std::make_shared<const Buffer>(bytes, std::move(owner));
  }

 private:
  void Grow(size_t more) {
    constexpr size_t kFirstBytes = 256;
    const size_t capacity = std::max({capacity_ * 2, size_ + more, kFirstBytes});
    auto bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ != 0) {
      std::memcpy(bytes.get(), bytes_.get(), size_);
    }
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace millrace
