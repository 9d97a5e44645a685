#pragma once

#include "millrace/stream/embedded/committer.h"
#include "millrace/stream/embedded/data_directory.h"
#include "millrace/stream/embedded/journal_reader.h"
#include "millrace/stream/embedded/segment_store.h"

namespace millrace {

/// Brings table, segments and committer to what `state` says: reads the headers of all committed
/// segments, the catalogue, removes files that were never committed and journal files that are
/// copied. The loader of `table` must be able to read from here on. Errors: kCorruption with file
/// and byte, or with the stream and the offsets that are missing; no file is removed then that a
/// repair could need.
Status RestoreStreams(const DataDirectory& directory, const JournalState& state, StreamTable& table,
                      SegmentStore& segments, Committer& committer);

}  // namespace millrace
