#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace millrace {

/// Immutable bytes that columns share; the owner of the memory is kept alive with it. Thread-safe.
class Buffer {
 public:
  /// `owner` keeps `bytes` alive.
  Buffer(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  const std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }

  template <typename T>
  std::span<const T> As() const {
    return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

  /// Takes over the memory of a vector or string.
  template <typename Container>
  static std::shared_ptr<const Buffer> Own(Container container) {
    auto owner = std::make_shared<const Container>(std::move(container));
    const auto bytes = std::as_bytes(std::span(owner->data(), owner->size()));
    return std::make_shared<const Buffer>(bytes, std::move(owner));
  }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

using BufferPtr = std::shared_ptr<const Buffer>;

}  // namespace millrace
