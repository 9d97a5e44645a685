#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/result.h"

namespace millrace {

static_assert(std::endian::native == std::endian::little, "formats are little-endian as is memory");

using Bytes = std::vector<std::byte>;

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends little-endian values to a byte vector. Strings carry a 32-bit length.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  size_t size() const { return out_.size(); }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void Put(T value) {
    const auto* first = reinterpret_cast<const std::byte*>(&value);
    out_.insert(out_.end(), first, first + sizeof(T));
  }
  void PutBytes(std::span<const std::byte> bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }
  void PutString(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    PutBytes(AsBytes(text));
  }
  /// Overwrites a value written before, for lengths and checksums known only later.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void Patch(size_t at, T value) {
    std::memcpy(out_.data() + at, &value, sizeof(T));
  }

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote. Every read is checked against the remaining bytes; input may be
/// hostile. Holds no copy: the bytes must outlive the reader and the views it returns.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t remaining() const { return bytes_.size() - position_; }
  size_t position() const { return position_; }

  /// Fails with kCorruption when fewer bytes remain.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  Result<T> Get() {
    MR_ASSIGN(auto bytes, GetBytes(sizeof(T)));
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }

  Result<std::span<const std::byte>> GetBytes(size_t size) {
    if (size > remaining()) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("{} bytes wanted at {}, {} remain", size, position_, remaining()));
    }
    auto bytes = bytes_.subspan(position_, size);
    position_ += size;
    return bytes;
  }

  Result<std::string_view> GetString() {
    MR_ASSIGN(const auto size, Get<uint32_t>());
    MR_ASSIGN(const auto bytes, GetBytes(size));
    return AsText(bytes);
  }

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace millrace
