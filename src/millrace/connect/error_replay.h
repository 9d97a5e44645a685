#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "millrace/connect/stream_ingestor.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Feeds the records in errors$<table> back into the table, once what refused them is repaired.
/// Each is decoded as if it had just come: it gets into the table, or is refused again, which adds
/// an error row to the same stream. How far that has come is committed with the records, as the
/// position of the reader "replay:<table>", so that a record is fed back once, whatever happens
/// meanwhile. Error rows that have gone by the table's retention are not fed back. Blocks; used by
/// one thread.
class ErrorReplay {
 public:
  struct Outcome {
    uint64_t accepted = 0;
    uint64_t refused = 0;
    uint64_t skipped = 0;               ///< Rows without the whole record: too large, or lost.
    std::vector<AppendedRange> ranges;  ///< Of the table, where the records are.
  };

  /// References outlive it. `beside_source`: the table is filled by its own source, whose watermark
  /// the records are not to move. `ended`: once set, it is given up at the next commit.
  ErrorReplay(StreamIngestor& ingestor, Transport& transport, bool beside_source,
              const std::atomic<bool>& ended)
      : ingestor_(ingestor), transport_(transport), ended_(ended) {
    if (beside_source) {
      placement_ = {.watermark_limit = kMicrosMin, .rests = true};
    }
  }

  /// Feeds back what was refused before this call and not fed back yet. Call once. Errors: those of
  /// the transport, kTableFull, kUnavailable once ended; what was fed back before one stays so.
  Result<Outcome> Run();

 private:
  /// Takes a record, and commits those before it when there are many, or when it must stand alone.
  Status Take(std::string_view record);
  /// Commits what is gathered, with `position_` behind it.
  Status Flush();
  Status Commit(const StreamIngestor::Decoded& decoded);

  StreamIngestor& ingestor_;
  Transport& transport_;
  const std::atomic<bool>& ended_;
  StreamIngestor::Placement placement_;
  StreamId errors_;
  std::string reader_;
  std::string lines_;  // Records that are one line each.
  Offset position_;    // Behind the last record that was taken.
  Offset committed_;
  Outcome outcome_;
};

}  // namespace millrace
