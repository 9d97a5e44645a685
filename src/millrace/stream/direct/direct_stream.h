#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/stream/direct/partition_history.h"
#include "millrace/stream/stream_table.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A stream whose records are not stored (design section 5, "At rest"): its source can read them
/// again, and one pipeline reads them. They wait in memory, and what the source would have
/// committed with them, its positions and error rows, is committed by the epoch of the pipeline
/// that takes them in. So a crash takes both back, and each record counts once.
///
/// The source writes to `source_side`, the pipeline reads from a reader_side: each is the base
/// transport, but for this stream. An epoch of the source may append rows to one partition only,
/// and all epochs that set the position of one split, to the same. Epochs of control frames may be
/// committed twice over a crash, and must bear it. The source's commits are answered once the
/// pipeline's are: how many it has in flight bounds what waits.
///
/// Thread-safe. Offsets go on over a restart, and so do the partitions' event times.
class DirectStream {
 public:
  /// `stream` exists in `base`, which outlives this, and is empty there; `reader` is the
  /// pipeline's. Errors: kCorruption.
  static Result<std::unique_ptr<DirectStream>> Open(Transport& base, const StreamInfo& stream,
                                                    const std::string& reader);
  /// Closed, and neither side is used any more.
  ~DirectStream();

  Transport& source_side() { return *source_side_; }
  /// `below` is the base transport, or a reader_side of another stream over it; outlives the
  /// result.
  std::unique_ptr<Transport> reader_side(Transport& below);

  /// Answers the source's commits that nobody has taken, and all that still come, with kAborted:
  /// the source may go. What the pipeline has read it still commits.
  void Close() MR_EXCLUDES(mutex_);

  /// The name under which the partitions' histories are kept among the sources' positions.
  static std::string HistorySource(std::string_view stream);

 private:
  class Side;
  class SourceSide;
  class SourceWriter;
  class ReaderSide;
  class ReaderWriter;

  /// An epoch of the source.
  struct Held {
    std::map<PartitionId, Offset> ends;  ///< Behind its frames.
    bool has_rows = false;
    std::optional<uint64_t> taken_by;   ///< An epoch of the pipeline that is not decided yet.
    std::vector<AppendedFrame> stored;  ///< Frames for other streams: error rows.
    std::vector<SourcePositionUpdate> positions;
    CommitCallback callback;

    bool SharesSplit(const Held& other) const;
  };
  using Ends = std::map<PartitionId, Offset>;
  /// How far the pipeline has read, and what was in it.
  struct Progress {
    Ends ends;
    std::map<PartitionId, PartitionHistory> histories;
  };
  /// An epoch of the pipeline that is not decided yet.
  struct Taking {
    uint64_t number = 0;
    Progress progress;
  };

  DirectStream(Transport& base, StreamInfo stream);

  Status Restore(const std::string& reader);
  void Hold(EpochContent content, CommitCallback callback) MR_EXCLUDES(mutex_);
  /// A frame for the first partition that says nothing new.
  AppendedFrame WakeUp() const MR_REQUIRES(mutex_);
  /// Adds to an epoch of the pipeline, which has read up to `ends`, what belongs to that. Returns
  /// its number for Decide.
  uint64_t Take(const Ends& ends, EpochWriter& writer) MR_EXCLUDES(mutex_);
  void TakeHeld(Held& held, uint64_t number, EpochWriter& writer) MR_REQUIRES(mutex_);
  bool IsRead(const Held& held) const MR_REQUIRES(mutex_);
  void NoteRead(PartitionId partition, Offset end) MR_REQUIRES(mutex_);
  void Decide(uint64_t number, const CommitResult& result) MR_EXCLUDES(mutex_);
  void Trim(const Ends& ends) MR_REQUIRES(mutex_);
  /// Calls what waits for the epochs; outside the lock.
  static void Answer(const std::vector<CommitCallback>& callbacks, const CommitResult& result);

  Transport& base_;
  const StreamInfo stream_;
  StreamTable table_{nullptr, SIZE_MAX};
  std::unique_ptr<Transport> source_side_;

  Mutex mutex_;
  std::deque<Held> held_ MR_GUARDED_BY(mutex_);
  /// Of the first partition, with what nobody has read yet.
  PartitionHistory first_ MR_GUARDED_BY(mutex_);
  bool closed_ MR_GUARDED_BY(mutex_) = false;
  Progress read_ MR_GUARDED_BY(mutex_);
  Progress durable_ MR_GUARDED_BY(mutex_);
  std::deque<Taking> takings_ MR_GUARDED_BY(mutex_);
  uint64_t next_number_ MR_GUARDED_BY(mutex_) = 1;
};

}  // namespace millrace
