#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/codec/record_decoder.h"
#include "millrace/connect/stream_ingestor.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Feeds the records in errors$<table> back into the table, once what refused them is repaired.
/// Each is decoded as if it had just come: it gets into the table, or is refused again, which adds
/// an error row to the same stream. How far that has come is committed with the records, as the
/// position of the reader "replay:<table>" (for a table that is not stored, of a source of that
/// name), so that a record is fed back once, whatever happens meanwhile. Error rows that have gone
/// by the table's retention are not fed back. Blocks; used by one thread.
class ErrorReplay {
 public:
  struct Outcome {
    uint64_t accepted = 0;
    uint64_t refused = 0;
    uint64_t skipped = 0;               ///< Rows without the whole record: too large, or lost.
    std::vector<AppendedRange> ranges;  ///< Of the table, where the records are.
  };

  /// How the records in error rows are read.
  struct Format {
    std::unique_ptr<RecordDecoder> decoder;  ///< Null: they are JSON, of ingestor.Decode.
    bool has_header = false;                 ///< Each stands behind the header of its file.
    /// For a format without headers that may have had them, when the records were refused: its
    /// TakeHeader finds the first of two records. Null: there were none.
    std::unique_ptr<RecordDecoder> header_decoder = nullptr;
  };

  /// References outlive it. `beside_source`: the table is filled by its own source, whose watermark
  /// the records are not to move. `ended`: once set, it is given up at the next commit.
  ErrorReplay(StreamIngestor& ingestor, Transport& transport, Format format, bool beside_source,
              const std::atomic<bool>& ended);

  /// Of a table: under what name positions are kept.
  static std::string ReaderOf(std::string_view table);

  /// Feeds back what was refused before this call and not fed back yet. Call once. Errors: those of
  /// the transport, kTableFull, kUnavailable once ended; what was fed back before one stays so.
  Result<Outcome> Run();

 private:
  struct Pending {
    std::string record;  ///< Without its header.
    Offset end;          ///< Behind its error row.
  };

  Result<Offset> ReadPosition(Offset begin) const;
  void WritePosition(EpochWriter& writer, Offset position) const;
  /// Takes the record that ends at `position_`, and commits those before it when there are many,
  /// or when it must stand alone.
  Status Take(std::string_view record);
  /// Makes the decoder go by the header in front of `record`. Returns how long that is.
  Result<size_t> TakeHeader(std::string_view record);
  /// Commits what is pending, and `position_`.
  Status Flush();
  /// Commits these, and `position`.
  Status FeedBack(std::span<const Pending> pending, Offset position);
  /// Of `records` texts side by side; none when the decoder has found another number.
  std::optional<StreamIngestor::Decoded> Decode(const std::string& text, size_t records);
  Status Commit(const StreamIngestor::Decoded& decoded, Offset position);

  StreamIngestor& ingestor_;
  Transport& transport_;
  const Format format_;
  const std::atomic<bool>& ended_;
  StreamIngestor::Placement placement_;
  StreamId errors_;
  const std::string reader_;
  std::string header_;  // That the decoder goes by.
  std::vector<Pending> pending_;
  size_t pending_bytes_ = 0;
  Offset position_;  // Behind the last record that was taken.
  Offset committed_;
  Outcome outcome_;
};

}  // namespace millrace
