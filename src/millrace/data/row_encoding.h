#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"

namespace millrace {

/// Rows, or the key columns of rows, as bytes: equal keys have equal bytes, and different ones have
/// different bytes. Stored in state frames, so the form never changes:
///
/// each value is one byte, 0 for NULL or 1, and then unless NULL: fixed-width types their
/// little-endian bytes (boolean one byte; -0.0 as 0.0, every NaN as one), text types a 32-bit
/// length and the bytes.
void AppendEncoded(const Column& column, size_t row, std::string& out);

/// Reads one value from the front of `*encoded` into `builder` and moves behind it. kCorruption
/// when the bytes are not what AppendEncoded writes for the builder's type.
Status DecodeInto(std::string_view* encoded, ColumnBuilder& builder);

/// The stable hash of an encoded key: it decides the state partition on disk and in Kafka.
uint64_t HashEncoded(std::string_view encoded);

/// The partition, of `count`, that a key belongs to.
inline uint32_t PartitionOfHash(uint64_t hash, uint32_t count) {
  return static_cast<uint32_t>((hash >> 32) * count >> 32);
}

/// The encoded keys of many rows side by side; reused from batch to batch.
class EncodedKeys {
 public:
  /// Encodes the named columns of every row.
  void Encode(const Batch& batch, std::span<const size_t> columns);

  size_t size() const { return ends_.size(); }
  std::string_view key(size_t row) const {
    const uint32_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(bytes_).substr(begin, ends_[row] - begin);
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

}  // namespace millrace
