#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "millrace/stream/embedded/committer.h"
#include "millrace/stream/embedded/data_directory.h"
#include "millrace/stream/embedded/journal.h"

namespace millrace {

/// Everything the journal of a data directory says, replayed.
struct JournalState {
  struct Bounds {
    Offset begin;
    Offset end;
    Micros max_event_time = kMicrosMin;
  };
  std::map<StreamTable::Position, Bounds> partitions;
  /// Committed bytes by segment.
  std::map<std::pair<StreamId, uint64_t>, uint64_t> segments;
  std::vector<PositionUpdate> positions;               ///< In journal order; the last one counts.
  std::vector<SourcePositionUpdate> source_positions;  ///< As above; an empty value removes.
  /// Frames by the journal file that holds them, one element per file that is not retired; without
  /// frames when these are copied.
  std::map<uint64_t, std::vector<JournalFrame>> frames;
  /// Files that are still there, the oldest ones, and need not be once the streams are known to be
  /// whole: copied, or without a single record. Ascending.
  std::vector<uint64_t> retired;
  Journal::Place place;
};

/// Reads all journal files in order. What follows the last record is a torn tail, a round that was
/// never acknowledged, and is overwritten with zeros; the last file is written again and synced, so
/// that what was read is durable, whatever became of the syncs before. A file behind it without a
/// record was being made, and is removed.
///
/// kCorruption, which names file and byte: an invalid record in front of a valid one or of a mark,
/// a missing file, no record at all. Nothing is changed then.
Result<JournalState> ReadJournal(const DataDirectory& directory);

}  // namespace millrace
