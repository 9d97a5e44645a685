#pragma once

#include <cstddef>
#include <cstdint>

/// The stored form of a frame, in segments and inside journal records. Little-endian; see
/// docs/internals/embedded-format.md for a worked example.
///
///   byte  0  u32  magic "MRF1"
///         4  u8   version, 5 u8 type (FrameType), 6 u16 zero
///         8  u64  xxh3-64 of bytes [16, 104), seeded with bytes [0, 8)
///        16  u64  identity of the data directory
///        24  u32  payload length, 28 u32 count (offsets taken)
///        32  u32  stream, 36 u32 partition
///        40  i64  base offset
///        48  u64  round
///        56  i64  append time       (microseconds, wall clock)
///        64  i64  minimum event time, 72 i64 maximum up to the limit, 80 i64 limit
///        88  i64  maximum event time of the partition before this frame
///        96  u64  xxh3-64 of the payload
///       104  payload
///
/// The header proves itself, so that recovery reads headers alone; it binds the payload to its
/// stream, partition, offset and data directory, so that a misplaced frame is as invalid as a
/// damaged one.
namespace millrace::frame_format {

inline constexpr uint32_t kMagic = 0x3146524d;
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kChecksumAt = 8;
inline constexpr size_t kCheckedFrom = 16;
inline constexpr size_t kPayloadHashAt = 96;
inline constexpr size_t kHeaderBytes = 104;
/// A longer payload is refused on write and is corruption on read.
inline constexpr uint32_t kPayloadBytesMax = uint32_t{1} << 30;

}  // namespace millrace::frame_format
