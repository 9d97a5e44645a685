#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "millrace/base/bytes.h"
#include "millrace/base/result.h"
#include "millrace/data/buffer.h"

namespace millrace::columnar {

/// Memory that is reused and never initialised.
class Scratch {
 public:
  /// Returns at least `size` bytes; what an earlier call returned is gone.
  std::byte* Get(size_t size) {
    if (size > size_) {
      bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
      size_ = size;
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t size_ = 0;
};

/// Appends bytes as a block (ByteKind): compressed with LZ4 where a sample and the result show that
/// it saves at least an eighth. At most kColumnBytesMax bytes. `value_bytes`: mean size of the
/// values in it; short ones are not worth their time.
void EncodeBytes(std::span<const std::byte> bytes, size_t value_bytes, Scratch& scratch,
                 Bytes& out);

/// Bytes that were read from a block: part of the payload, or memory of their own.
struct DecodedBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  ///< Null when `bytes` lies in the payload.
};

/// Reads a block. kCorruption.
Result<DecodedBytes> DecodeBytes(ByteReader& reader);

}  // namespace millrace::columnar
