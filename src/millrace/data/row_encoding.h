#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/data/column.h"
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

}  // namespace millrace
