#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/base/file_system.h"
#include "millrace/connect/file/block_reader.h"
#include "millrace/connect/file/file_options.h"
#include "millrace/connect/file/split_position.h"
#include "millrace/stream/transport.h"

namespace millrace {

struct BlockDecoding;

/// What was read of a file and is not handed to a commit yet.
struct BlockAhead {
  Result<RecordBlock> block;
  std::shared_ptr<BlockDecoding> decoding;  ///< Of its records; null when it has none.

  bool has_records() const { return block && block->records != nullptr; }
};

/// One file as it is being read.
struct FileSplit {
  uint64_t number = 0;     ///< Its name among the source's positions.
  SplitPosition position;  ///< Behind what was handed to a commit.
  std::string head;        ///< The content of position.head while that still grows; else empty.
  std::string header;      ///< What the file begins with that is no record; once it was read.
  std::optional<BlockReader> reader;
  std::deque<BlockAhead> ahead;  ///< From the position to the reader's offset.

  bool present = false;   ///< The last look at the directory found it.
  bool detached = false;  ///< Its place was truncated or overwritten: only a copy can go on.
  bool verify = false;    ///< Compare content before reading on: the file has changed meanwhile.
  bool at_end = false;    ///< Nothing more to read at present.
  bool idle = false;      ///< Does not hold back the watermark.
  uint64_t size = 0;      ///< As stored, when last seen.
  int64_t modified_micros = 0;
  std::chrono::nanoseconds changed_at{0};   ///< When `size` was last seen to change.
  std::chrono::nanoseconds waits_since{0};  ///< Since when there is nothing to read.
  std::optional<Error> error;               ///< Why it cannot be read at the moment.
  std::chrono::nanoseconds retry{0};        ///< When to try again after `error`.
  std::chrono::nanoseconds pause{0};        ///< The last wait before a retry.

  std::string name() const { return NameOf(number); }
  static std::string NameOf(uint64_t number);

  /// Whether its rows to come hold back the watermark.
  bool holds() const { return !position.finished && !idle; }
  /// Whether there is something to read at `now`.
  bool readable(std::chrono::nanoseconds now) const {
    return !position.finished && !detached && !at_end && (present || reader) && retry <= now;
  }
  /// Closes the file: what follows the position will be read again.
  void Close();
  /// Moves the position behind a block.
  void Advance(uint64_t end, std::string_view lines);
};

/// The files of one source: finds them, and knows them again when they are renamed, compressed or
/// copied. One thread at a time; owned by a FileSource.
///
/// A bounded input knows files by their path. A followed one knows them by device and inode, and
/// where these are new by content: head and the piece before the position
/// (docs/connectors/file.md).
class SplitSet {
 public:
  static constexpr size_t kSplitsMax = 10'000;
  /// How long a file that looks like a copy of another must stay unchanged before it counts as one
  /// of its own.
  static constexpr std::chrono::seconds kCopyGrace{10};

  /// `pattern`: the path option, absolute or relative to the working directory. `has_header`: the
  /// first record of each file is none.
  SplitSet(FileSystem& files, std::string pattern, FileMode mode, uint32_t partitions,
           const RecordCutter& cutter, bool has_header);

  /// Replaces all by what is stored. kCorruption.
  Status Restore(const Transport::SourcePositions& positions);

  /// Looks for files; returns whether there are new ones to read. A file that cannot be looked at
  /// is left as it is. Errors: kConfigInvalidValue for too many files; what the pattern's
  /// directories say.
  Result<bool> Discover(std::chrono::nanoseconds now);

  /// Opens a split's file at its position, after comparing content where it must, and reads its
  /// header again. kSourceChanged when it is another file now.
  Status Open(FileSplit& split, size_t block_bytes, size_t record_bytes_max);
  /// Compares the open file's content with the position's marks; leaves the reader where it was.
  Status Verify(FileSplit& split);

  /// Takes the split's place from it: only a copy that turns up can go on. `error` says why.
  static void Detach(FileSplit& split, std::optional<Error> error);

  std::vector<std::unique_ptr<FileSplit>>& splits() { return splits_; }
  const std::vector<std::unique_ptr<FileSplit>>& splits() const { return splits_; }

  /// Splits to remove from the stored positions: their files are gone for long.
  std::vector<uint64_t> TakeForgotten() { return std::exchange(forgotten_, {}); }

 private:
  struct Seen {
    std::string path;
    FileInfo info;
  };
  /// A new file that looks like a split's and is not taken for it yet.
  struct Held {
    FileInfo info;
    std::chrono::nanoseconds since;
  };
  enum class Likeness : uint8_t { kOther, kSame, kUndecided };

  bool DiscoverBounded(const std::vector<std::string>& paths);
  bool DiscoverFollowed(const std::vector<std::string>& paths);
  FileSplit* FindByInode(const FileInfo& info);
  /// Takes the file for the split's; the split is detached when it cannot be.
  void NoteSeen(FileSplit& split, const Seen& seen);
  static void NoteMissing(FileSplit& split);
  bool TakeUnknown(const Seen& seen);
  bool IsHeld(const Seen& seen);
  static Likeness Compare(InputFile& file, std::string_view head, const SplitPosition& position);
  void Add(const Seen& seen);
  void Forget();

  FileSystem& files_;
  const std::string pattern_;
  const FileMode mode_;
  const uint32_t partitions_;
  const RecordCutter cutter_;
  const bool has_header_;
  std::vector<std::unique_ptr<FileSplit>> splits_;  // By number.
  uint64_t next_number_ = 0;
  std::chrono::nanoseconds now_{0};                     // Of the last discovery.
  std::map<std::pair<uint64_t, uint64_t>, Held> held_;  // By device and inode.
  std::vector<uint64_t> forgotten_;
};

}  // namespace millrace
