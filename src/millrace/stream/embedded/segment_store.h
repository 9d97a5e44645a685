#pragma once

#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/stream/embedded/data_directory.h"
#include "millrace/stream/embedded/journal_record.h"

namespace millrace {

/// The segment files of all streams: numbers, open files for reading. Thread-safe. Which bytes of a
/// segment belong to its stream is what journal records say; this class does not decide it.
class SegmentStore {
 public:
  explicit SegmentStore(const DataDirectory& directory) : directory_(directory) {}

  /// Recovery: adds a closed segment. Its number and all below are not given again.
  void Restore(StreamId stream, uint64_t number) MR_EXCLUDES(mutex_);

  /// Creates the stream's next segment, empty, its directory entry durable; it counts as being
  /// written until Close. After an error it does not exist as far as this class is concerned.
  Result<std::pair<uint64_t, std::unique_ptr<File>>> Create(const StreamInfo& stream)
      MR_EXCLUDES(mutex_);

  /// Says that nothing more will be written to a segment.
  void Close(StreamId stream, uint64_t number) MR_EXCLUDES(mutex_);

  /// Known segments that nobody writes to, ascending.
  std::vector<uint64_t> Closed(StreamId stream) MR_EXCLUDES(mutex_);

  /// Reads bytes of a segment; fewer than asked for is kCorruption, no such file kFileNotFound.
  Result<BufferPtr> Read(const StreamInfo& stream, uint64_t number, uint64_t position,
                         uint32_t bytes) MR_EXCLUDES(mutex_);

  /// Unlinks a segment; fine when it is gone already. Readers that have it open go on.
  Status Remove(const StreamInfo& stream, uint64_t number) MR_EXCLUDES(mutex_);

 private:
  using Key = std::pair<StreamId, uint64_t>;
  Result<std::unique_ptr<File>> MakeFile(const StreamInfo& stream, uint64_t number);
  Result<std::shared_ptr<File>> OpenForRead(const StreamInfo& stream, uint64_t number)
      MR_EXCLUDES(mutex_);

  const DataDirectory& directory_;
  Mutex mutex_;
  struct Numbers {
    uint64_t last = 0;
    std::map<uint64_t, bool> writing;  // Every known segment.
  };
  std::map<StreamId, Numbers> numbers_ MR_GUARDED_BY(mutex_);
  /// Most recently used first; bounded.
  std::list<std::pair<Key, std::shared_ptr<File>>> open_ MR_GUARDED_BY(mutex_);
};

/// Appends frames to segments of one stream. Each segment has one writer, so its frames lie end to
/// end. Space is reserved ahead, in steps that grow with the segment, and given back behind its
/// end. Used by one thread at a time.
class SegmentWriter {
 public:
  SegmentWriter(SegmentStore& store, StreamInfo stream, uint64_t segment_bytes)
      : store_(store), stream_(std::move(stream)), segment_bytes_(segment_bytes) {}

  /// Writes and syncs the pieces behind what was advanced over. Until Advance, the same call writes
  /// to the same place again, so a round that failed with kDiskFull can be retried.
  Result<SegmentRange> Write(std::span<const std::span<const std::byte>> pieces);

  /// Write in parts: Begin says how many bytes come, Append writes them piece by piece, Finish
  /// syncs them. Begin starts again after a failure.
  Status Begin(uint64_t length);
  Status Append(std::span<const std::span<const std::byte>> pieces);
  Result<SegmentRange> Finish();

  /// Makes the range that Write returned part of the segment, after it was committed.
  void Advance(const SegmentRange& range);

  /// Number of the segment being written; 0 when there is none.
  uint64_t current() const { return number_; }

 private:
  Status Rotate();
  Status Reserve(uint64_t bytes);

  SegmentStore& store_;
  const StreamInfo stream_;
  const uint64_t segment_bytes_;
  std::unique_ptr<File> file_;
  uint64_t number_ = 0;
  uint64_t position_ = 0;
  uint64_t written_ = 0;  // Bytes behind position_ since Begin.
  uint64_t reserved_ = 0;
};

/// Reads exactly `bytes` from `file`; fewer is kCorruption that names `path`.
Result<BufferPtr> ReadExactly(File& file, const std::string& path, uint64_t position,
                              uint32_t bytes);

}  // namespace millrace
