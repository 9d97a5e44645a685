#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "millrace/stream/embedded/data_directory.h"
#include "millrace/stream/embedded/journal_record.h"

namespace millrace {

/// Writes the journal: records one after the other into numbered files. The only place where
/// anything is committed. Used by one thread at a time.
///
/// A call that fails with kDiskFull has changed nothing that recovery would see, and may be
/// repeated unchanged. After any other error the journal must not be used.
class Journal {
 public:
  struct Place {
    uint64_t next_file = 1;  ///< Number of the first file to write.
    uint64_t next_sequence = 1;
    uint64_t previous_checksum = 0;  ///< Of the last record in the directory.
    uint64_t last_file = 0;          ///< The file that holds it; 0 when there is none.
    uint64_t last_file_end = 0;      ///< Where its records end.
  };

  /// `incarnation` is new for each opening of the directory. Writes nothing yet.
  Journal(const DataDirectory& directory, uint64_t file_bytes, uint64_t incarnation, Place place);

  /// Starts the next file with a full record; durable on return. The file has room for at least
  /// `record_bytes_min` more. A mark in the file before it then says that this one exists.
  Status StartFile(const JournalEntries& full, uint64_t record_bytes_min);

  /// Whether a record of this size fits into the current file.
  bool Fits(uint64_t record_bytes) const;

  /// Appends a round and syncs. `frames` are the bytes of its frames, in any pieces. Returns where
  /// in the current file the first frame lies; the others follow end to end. Durable on return.
  Result<uint64_t> AppendRound(const JournalEntries& entries,
                               std::span<const std::span<const std::byte>> frames);

  /// Appends a mark without syncing: a record in front of it that recovery cannot read is then
  /// known to be damaged, not torn. Does nothing right after a mark or when file or disk are full.
  Status AppendMark();

  /// Sequence of the next record; the round id of the next AppendRound.
  uint64_t next_sequence() const { return place_.next_sequence; }
  /// Number of the file being written; 0 before the first StartFile.
  uint64_t current_file() const { return file_ == nullptr ? 0 : place_.last_file; }

 private:
  Status Write(JournalRecordType type, const JournalEntries& entries,
               std::span<const std::span<const std::byte>> frames);
  Result<std::unique_ptr<File>> MakeFile(uint64_t number, uint64_t bytes);
  /// Writes a mark that stands in `file` behind the last record of `place`.
  Status WriteMark(File& file, const Place& place, uint64_t next_file);
  Status CloseFile(std::unique_ptr<File> file, const Place& place, uint64_t next_file);

  const DataDirectory& directory_;
  const uint64_t file_bytes_;
  const uint64_t incarnation_;
  Place place_;
  std::unique_ptr<File> file_;  // place_.last_file, to be written at place_.last_file_end.
  uint64_t capacity_ = 0;
  uint64_t frames_position_ = 0;  // Of the frames of the last record.
  bool marked_ = true;
};

/// Gives back a journal file whose content nobody needs any more: it becomes the spare file, or is
/// removed. Durable on return; call in ascending order, or recovery would find a gap.
Status RetireJournal(const DataDirectory& directory, uint64_t number);

/// Fills `file` with zeros from `from` to `to`, so that later writes only overwrite.
Status FillWithZeros(File& file, uint64_t from, uint64_t to);

}  // namespace millrace
