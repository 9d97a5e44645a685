#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/stream/epoch_content.h"
#include "millrace/stream/stream_table.h"

namespace millrace {

/// What a journal record is. Numbers are stored.
enum class JournalRecordType : uint8_t {
  kFull = 1,   ///< First in its file: the whole state of the transport.
  kRound = 2,  ///< The changes of one round; the commit point.
  kMark = 3,   ///< Says that every record before it was synced. Written lazily, never synced.
               ///< Not a link of the chain: the next record has its sequence too.
};

/// Bytes [position, position + length) of a segment, holding whole frames.
struct SegmentRange {
  StreamId stream;
  uint64_t segment = 0;
  uint64_t position = 0;
  uint64_t length = 0;
};

struct SegmentRemoval {
  StreamId stream;
  uint64_t segment = 0;
};

/// A record's header.
struct JournalRecordHeader {
  JournalRecordType type = JournalRecordType::kRound;
  uint64_t identity = 0;
  uint64_t incarnation = 0;
  uint64_t file = 0;
  uint64_t sequence = 0;
  uint64_t previous_checksum = 0;
  uint64_t checksum = 0;  ///< Set by reading and by EncodeJournalRecord.
  uint32_t body_bytes = 0;
  uint32_t entries_bytes = 0;

  /// Header and body, without alignment.
  size_t total_bytes() const;
};

/// The entries of a record's body; the frames follow them.
struct JournalEntries {
  std::vector<SegmentRange> ranges;
  std::vector<uint64_t> copied_journals;
  std::vector<PositionUpdate> positions;
  std::vector<SourcePositionUpdate> source_positions;
  std::vector<TrimUpdate> trims;
  std::vector<StreamTable::Snapshot::PartitionState> partitions;
  std::vector<SegmentRemoval> removals;
  uint64_t next_file = 0;  ///< Marks: the journal goes on in this file; 0 = says nothing.

  void Encode(Bytes& out) const;
  /// Fails with kCorruption on anything that Encode does not write.
  static Result<JournalEntries> Decode(std::span<const std::byte> bytes);
};

/// Makes header and entries of a record whose frames are written behind them. Sets the lengths and
/// the checksum in `header`.
Bytes EncodeJournalRecord(JournalRecordHeader& header, const JournalEntries& entries,
                          std::span<const std::span<const std::byte>> frames);

/// Reads and checks the record at the start of `bytes`, which may be longer; nothing when there is
/// no valid record of this data directory and file.
std::optional<JournalRecordHeader> ReadJournalRecord(std::span<const std::byte> bytes,
                                                     uint64_t identity, uint64_t file);

/// The entries and the frames of a record that ReadJournalRecord accepted.
std::span<const std::byte> EntriesOf(std::span<const std::byte> record,
                                     const JournalRecordHeader& header);
std::span<const std::byte> FramesOf(std::span<const std::byte> record,
                                    const JournalRecordHeader& header);

/// Rounds up to the place of the next record.
uint64_t AlignRecord(uint64_t position);

}  // namespace millrace
