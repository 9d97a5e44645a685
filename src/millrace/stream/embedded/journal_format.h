#pragma once

#include <cstddef>
#include <cstdint>

/// The stored form of a journal record. Little-endian; each record starts at a multiple of 8.
///
///   byte  0  u32  magic "MRJ1"
///         4  u8   version, 5 u8 type (JournalRecordType), 6 u16 zero
///         8  u64  checksum: xxh3-64 of bytes [16, 64), seeded with h, where h = xxh3-64 of bytes
///                 [0, 8), seeded with the xxh3-64 of the body
///        16  u64  identity of the data directory
///        24  u64  incarnation: random, new each time the directory is opened
///        32  u64  number of the journal file it stands in
///        40  u64  sequence, one higher than that of the record before it
///        48  u64  checksum of the record before it, also across files; 0 for the very first
///        56  u32  body length, 60 u32 length of the part of the body before the frames
///        64  body: entries, then whole frames (frame_format.h)
///
/// A mark is outside the chain: it names the sequence and the checksum that the next record will
/// name too. So it may get lost without a sync.
///
/// A file begins with a full record. Its space was written before, with zeros or as an earlier
/// journal file, because a sync that need not change a file's size or extents takes half the time.
/// Records left over from an earlier use name another file and so are no records.
namespace millrace::journal_format {

inline constexpr uint32_t kMagic = 0x314a524d;
inline constexpr uint8_t kVersion = 1;
inline constexpr size_t kChecksumAt = 8;
inline constexpr size_t kCheckedFrom = 16;
inline constexpr size_t kIdentityAt = 16;
inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kAlignment = 8;
/// Kept free at the end of a file for the mark that names the next one.
inline constexpr size_t kClosingMarkBytes = kHeaderBytes + 16;

/// Entries of a body: u8 kind, then the fields of journal_record.cc.
enum class EntryKind : uint8_t {
  kSegmentRange = 1,   ///< Bytes of a segment became part of the stream.
  kCopiedJournal = 2,  ///< All frames of a journal file are in segments now.
  kPosition = 3,
  kSourcePosition = 4,
  kTrim = 5,
  kPartition = 6,       ///< Full records: bounds of a stream partition.
  kSegmentRemoved = 7,  ///< A segment holds nothing that can be read any more.
  kNextFile = 8,        ///< Marks: a journal file with this number was made durable.
};

}  // namespace millrace::journal_format
