#pragma once

#include <cstddef>
#include <cstdint>

/// Constants of the columnar payload, shared by its writer and reader. The byte diagram and a
/// worked example are in docs/internals/columnar-format.md. Numbers are stored: never change or
/// reuse one.
namespace millrace::columnar {

inline constexpr uint8_t kVersion = 1;

/// Header: version u8, extras u8, column count u16, row count u32.
inline constexpr size_t kHeaderBytes = 8;
/// Directory entry: name hash u64, type u8, precision u8, scale u8, flags u8, section size u32.
inline constexpr size_t kEntryBytes = 16;

/// Bits of the header's extras; each adds a section behind the columns, in this order.
inline constexpr uint8_t kWeights = 1;
inline constexpr uint8_t kWatermarks = 2;
inline constexpr uint8_t kOffsets = 4;
inline constexpr uint8_t kExtrasAll = kWeights | kWatermarks | kOffsets;

/// Bit of an entry's flags: the section begins with the validity words.
inline constexpr uint8_t kHasValidity = 1;

/// First byte of a block of integers.
enum class IntegerKind : uint8_t {
  kFrame = 0,  ///< width u8, base i64, then row count x width: value - base.
  kDelta = 1,  ///< width u8, base i64, first i64, then (row count - 1) x width: difference - base.
};

/// First byte of a block of bytes.
enum class ByteKind : uint8_t {
  kRaw = 0,  ///< size u32, bytes.
  kLz4 = 1,  ///< size u32, stored size u32, one LZ4 block.
};

/// First byte of a numeric column's values.
enum class NumericKind : uint8_t {
  kNarrow = 0,  ///< All values fit 64 bits: a block of integers.
  kWide = 1,    ///< A block of bytes with 16 per value.
};

/// First byte of a text column's values.
enum class TextKind : uint8_t {
  kPlain = 0,       ///< A block of lengths (integers), a block of bytes.
  kDictionary = 1,  ///< count u16 (1..256), their lengths and bytes as kPlain, row count x u8 code.
};

/// Limits that the reader checks before it allocates.
inline constexpr uint32_t kRowsMax = 1U << 24;
inline constexpr uint16_t kColumnsMax = 4096;
/// Bytes of one column, uncompressed.
inline constexpr uint32_t kColumnBytesMax = 1U << 30;
/// LZ4 cannot do better than this; more is a lie about the size (lz4_Block_format.md).
inline constexpr uint64_t kLz4RatioMax = 255;

inline constexpr size_t kDictionaryMax = 256;

}  // namespace millrace::columnar
