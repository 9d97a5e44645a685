#pragma once

#include <map>
#include <set>
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
  std::vector<PositionUpdate> positions;                 ///< In journal order; the last one counts.
  std::vector<SourcePositionUpdate> source_positions;    ///< As above; an empty value removes.
  /// Frames by the journal file that holds them; only of files that are not copied.
  std::map<uint64_t, std::vector<JournalFrame>> frames;
  std::set<uint64_t> copied_journals;  ///< Still there, and may be removed.
  Journal::Place place;
};

/// Reads all journal files in order. What follows the last record is a torn tail, a round that was
/// never acknowledged, and is overwritten with zeros; the last file is synced, so that what was read
/// is durable. An invalid record with a valid one behind it, a gap between files, or no record at
/// all is kCorruption that names file and byte; nothing is changed then.
Result<JournalState> ReadJournal(const DataDirectory& directory);

}  // namespace millrace
