#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/stream/epoch_content.h"
#include "millrace/stream/frame_cache_metrics.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Where a frame's bytes are. Frames of the memory transport, and those of rounds not yet written,
/// are only in memory.
struct FrameLocation {
  enum class Kind : uint8_t { kMemory, kJournal, kSegment };
  Kind kind = Kind::kMemory;
  uint32_t bytes = 0;
  uint64_t file = 0;      ///< Number of the journal file or of the stream's segment.
  uint64_t position = 0;  ///< Byte in that file.

  friend bool operator==(const FrameLocation&, const FrameLocation&) = default;
};

/// Which frame of a stream is meant.
struct FrameKey {
  PartitionId partition;
  Offset begin;
  uint32_t count = 0;

  friend bool operator==(const FrameKey&, const FrameKey&) = default;
};

/// Reads a frame that is no longer in memory. Thread-safe; may block on the disk. What lies at the
/// location and is another frame than `key` is kCorruption.
class FrameLoader {
 public:
  virtual ~FrameLoader() = default;
  virtual Result<StreamFrame> Load(const StreamInfo& stream, const FrameKey& key,
                                   const FrameLocation& location) = 0;
};

/// The in-memory side of a transport: which streams there are, which offsets are given, durable and
/// readable, where each frame is, and who wants to know. Thread-safe; never touches the disk except
/// through the loader, outside its lock.
///
/// Lock order: this table's lock before that of whatever `enqueue` of Append locks. Subscribers are
/// called under a lock of their own, with no other held.
class StreamTable {
 public:
  using Position = std::pair<StreamId, PartitionId>;

  /// What is durable, besides the frames.
  struct Snapshot {
    struct PartitionState {
      Position at;
      Offset begin;
      Offset end;
      Micros max_event_time;
    };
    std::vector<PartitionState> partitions;
    std::vector<PositionUpdate> positions;
    std::vector<SourcePositionUpdate> source_positions;
  };

  /// `loader` may be null when frames never leave memory (`cache_bytes_max` unlimited then).
  StreamTable(FrameLoader* loader, size_t cache_bytes_max, const FrameCacheMetrics& metrics = {})
      : loader_(loader), cache_bytes_max_(cache_bytes_max), metrics_(metrics) {}

  void AddStream(StreamInfo info) MR_EXCLUDES(mutex_);
  /// Replaces the definition of a stream with one of as many partitions, and of the same name or a
  /// free one; a dropped one's name is free.
  void Redefine(const StreamInfo& info) MR_EXCLUDES(mutex_);
  /// What has to be committed for `changes` besides the definitions; and those as they then are.
  struct PlannedChanges {
    EpochContent content;
    std::vector<StreamInfo> definitions;
  };
  PlannedChanges Plan(const StreamChanges& changes) MR_EXCLUDES(mutex_);
  std::optional<StreamInfo> Find(std::string_view name) MR_EXCLUDES(mutex_);
  std::optional<StreamInfo> Find(StreamId id) MR_EXCLUDES(mutex_);
  /// Dropped ones too.
  std::vector<StreamInfo> Streams() MR_EXCLUDES(mutex_);
  PartitionInfo Describe(StreamId stream, PartitionId partition) MR_EXCLUDES(mutex_);
  Offset OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end)
      MR_EXCLUDES(mutex_);

  /// Gives offsets to the frames of `content`, in call order over all threads, and shows them to
  /// kAppended readers; trims beyond a partition's end are cut to it. `enqueue` runs inside the
  /// same critical section, so that the order of a queue is the order of offsets. Once it has run,
  /// `content` may be published and gone on another thread.
  template <typename Enqueue>
  void Append(EpochContent& content, Enqueue enqueue) MR_EXCLUDES(mutex_) {
    const std::vector<StreamId> streams = StreamsOf(content);
    {
      MutexLock lock(mutex_);
      AppendLocked(content);
      enqueue();
    }
    Notify(streams, Visibility::kAppended);
  }

  /// Records that `content` is durable; call in Append order. `locations` has one per frame, or is
  /// empty when frames stay in memory. Others leave it, unless someone subscribes to their stream:
  /// most of what nobody waits for is read late or never.
  void Publish(const EpochContent& content, std::span<const FrameLocation> locations)
      MR_EXCLUDES(mutex_);

  /// Forgets what is appended and not published, as a restart of the process does.
  void DropUnpublished() MR_EXCLUDES(mutex_);

  /// Recovery: adds a durable frame that is not cached. Frames of a partition may come in any order
  /// before RestoreBounds; of two with one begin the later call wins.
  void RestoreFrame(StreamId stream, const FrameKey& key, FrameType type,
                    const FrameLocation& location) MR_EXCLUDES(mutex_);
  /// Recovery: sets a partition's bounds and drops frames outside them.
  void RestoreBounds(StreamId stream, PartitionId partition, Offset begin, Offset end,
                     Micros max_event_time) MR_EXCLUDES(mutex_);
  void RestorePosition(std::string reader, Position at, Offset next) MR_EXCLUDES(mutex_);
  /// An empty value removes the split.
  void RestoreSourcePosition(std::string source, const std::string& split, std::string value)
      MR_EXCLUDES(mutex_);

  /// A frame at its new place on disk. It may stand for several frames that were joined.
  struct Move {
    FrameKey key;
    FrameLocation to;
  };
  /// Notes where durable frames of one stream lie now, sorted by partition and begin. What has been
  /// trimmed stays so.
  void Relocate(StreamId stream, std::span<const Move> moves) MR_EXCLUDES(mutex_);

  /// Segments that hold a frame which can still be read.
  std::set<uint64_t> SegmentsInUse(StreamId stream) MR_EXCLUDES(mutex_);

  /// Bounds of the partitions of one stream, as published.
  std::vector<Snapshot::PartitionState> Bounds(StreamId stream) MR_EXCLUDES(mutex_);

  /// Checks that the frames of all partitions lie end to end between their bounds.
  Status CheckContiguous() MR_EXCLUDES(mutex_);

  /// Copies everything that a full journal record must say, as of the published state.
  Snapshot TakeSnapshot() MR_EXCLUDES(mutex_);

  Transport::Positions ReaderPositions(std::string_view reader) MR_EXCLUDES(mutex_);
  Transport::SourcePositions SourcePositionsOf(std::string_view source) MR_EXCLUDES(mutex_);

  SubscriptionId Subscribe(StreamId stream, Visibility visibility, std::function<void()> notify)
      MR_EXCLUDES(subscriptions_mutex_);
  void Unsubscribe(SubscriptionId id) MR_EXCLUDES(subscriptions_mutex_);

  /// Reads frames from `*offset` on, and moves it behind those it returns. See Cursor::Poll.
  Result<std::vector<StreamFrame>> Read(StreamId stream, PartitionId partition,
                                        Visibility visibility, size_t bytes_max, Offset* offset)
      MR_EXCLUDES(mutex_);

  std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                     Visibility visibility);

  size_t cached_bytes() MR_EXCLUDES(mutex_);

 private:
  struct Entry {
    Offset begin;
    uint32_t count = 0;
    bool is_control = false;
    FrameLocation location;
    std::shared_ptr<const StreamFrame> cached;
    size_t cached_bytes = 0;
  };
  struct Partition {
    Offset begin;
    Offset durable_end;
    Offset appended_end;
    Micros max_event_time = kMicrosMin;  // Over appended frames.
    Micros durable_max_event_time = kMicrosMin;
    size_t stored_bytes = 0;      // Of the entries.
    uint64_t control_frames = 0;  // Of the durable ones.
    std::deque<Entry> entries;
  };
  struct Stream {
    StreamInfo info;
    std::vector<Partition> partitions;
  };
  struct Subscription {
    SubscriptionId id;
    StreamId stream;
    Visibility visibility;
    std::function<void()> notify;
  };
  struct Wanted {
    std::shared_ptr<const StreamFrame> cached;
    FrameLocation location;
    FrameKey key;
  };

  void AppendLocked(EpochContent& content) MR_REQUIRES(mutex_);
  void PublishLocked(const EpochContent& content, std::span<const FrameLocation> locations,
                     const std::set<StreamId>& awaited) MR_REQUIRES(mutex_);
  void EvictCached() MR_REQUIRES(mutex_);
  void SetCachedBytes(size_t bytes) MR_REQUIRES(mutex_);
  void Uncache(Entry& entry) MR_REQUIRES(mutex_);
  static std::vector<StreamId> StreamsOf(const EpochContent& content);
  std::set<StreamId> SubscribedOf(std::span<const StreamId> streams)
      MR_EXCLUDES(subscriptions_mutex_);
  void Notify(std::span<const StreamId> streams, Visibility visibility)
      MR_EXCLUDES(subscriptions_mutex_);
  static void AppendBounds(const Stream& stream, std::vector<Snapshot::PartitionState>& out);
  Stream& At(StreamId id) MR_REQUIRES(mutex_);
  Partition& At(StreamId id, PartitionId partition) MR_REQUIRES(mutex_);
  Entry* FindEntry(Partition& partition, Offset begin) MR_REQUIRES(mutex_);
  Result<std::vector<Wanted>> Select(StreamId stream, PartitionId partition, Visibility visibility,
                                     size_t bytes_max, Offset offset) MR_REQUIRES(mutex_);
  static void SetLocation(Partition& partition, Entry& entry, const FrameLocation& location);
  void DropFront(Partition& partition) MR_REQUIRES(mutex_);
  void RelocateIn(Partition& partition, std::span<const Move> moves) MR_REQUIRES(mutex_);
  /// Reads what Select found; nothing when the first frame was moved or joined meanwhile.
  Result<std::vector<StreamFrame>> LoadAll(StreamId stream, std::span<const Wanted> wanted)
      MR_EXCLUDES(mutex_);
  bool IsWhereItWas(StreamId stream, const Wanted& wanted) MR_EXCLUDES(mutex_);

  FrameLoader* const loader_;
  const size_t cache_bytes_max_;
  const FrameCacheMetrics metrics_;

  Mutex mutex_;
  std::map<StreamId, Stream> streams_ MR_GUARDED_BY(mutex_);
  std::map<std::string, StreamId, std::less<>> by_name_ MR_GUARDED_BY(mutex_);
  std::map<std::string, Transport::Positions, std::less<>> positions_ MR_GUARDED_BY(mutex_);
  std::map<std::string, Transport::SourcePositions, std::less<>> source_positions_
      MR_GUARDED_BY(mutex_);
  /// Cached durable frames, oldest first; some may be trimmed by now.
  std::deque<std::pair<Position, Offset>> evictable_ MR_GUARDED_BY(mutex_);
  size_t cached_bytes_ MR_GUARDED_BY(mutex_) = 0;
  size_t cached_frames_ MR_GUARDED_BY(mutex_) = 0;

  Mutex subscriptions_mutex_;
  std::vector<Subscription> subscriptions_ MR_GUARDED_BY(subscriptions_mutex_);
  SubscriptionId next_subscription_ MR_GUARDED_BY(subscriptions_mutex_) = 1;
};

}  // namespace millrace
