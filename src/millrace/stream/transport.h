#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/data/batch.h"
#include "millrace/stream/frame.h"

namespace millrace {

/// What a stream is; kept in the stream catalog$.
struct StreamDefinition {
  std::string name;
  uint32_t partitions = 1;
  SchemaPtr schema;  ///< Of data frames; null for streams of opaque frames only (state, catalogue).
  /// Settings that the owner of the stream reads back: event-time column, kind, retention.
  std::map<std::string, std::string> properties;
};

/// A stream as it stands. Offsets are per partition.
struct StreamInfo {
  StreamId id;
  StreamDefinition definition;
};

/// What ChangeStreams does.
struct StreamChanges {
  struct Renamed {
    std::string from;
    std::string to;
  };
  /// Streams as they are from now on. Columns may be added, if they are nullable, and taken away;
  /// name and partitions stay.
  std::vector<StreamInfo> redefined;
  std::vector<StreamId> dropped;  ///< Their records go, and their names are free.
  /// Streams that take a free name, or that of a dropped one. They may be written and read
  /// meanwhile.
  std::vector<Renamed> renamed = {};
  std::vector<std::string> forgotten_readers;  ///< Their positions go.
  /// Readers whose positions become those of another name, which loses the ones that it had.
  std::vector<Renamed> renamed_readers = {};
  std::vector<std::string> forgotten_sources;  ///< Those of their splits go.

  bool empty() const {
    return redefined.empty() && dropped.empty() && renamed.empty() && forgotten_readers.empty() &&
           renamed_readers.empty() && forgotten_sources.empty();
  }
};

struct PartitionInfo {
  Offset begin;                        ///< First offset that can be read.
  Offset durable_end;                  ///< Behind the last durable record.
  Offset appended_end;                 ///< Behind the last appended record; >= durable_end.
  Micros max_event_time = kMicrosMin;  ///< Over all appended records, clamped.
  size_t stored_bytes = 0;             ///< Of the durable frames that can be read, at rest.
  uint64_t control_frames = 0;         ///< Offsets of [begin, durable_end) that are no records.
};

/// Whose eyes a reader has: what is committed by this process may be read by its pipelines before
/// it is durable, because their own commit lands in the same or a later round.
enum class Visibility : uint8_t { kAppended, kDurable };

enum class CommitOutcome : uint8_t {
  kCommitted,  ///< Durable and visible.
  kAborted,    ///< Nothing of it is; roll back and process again.
  kFenced,     ///< Nothing of it is; somebody else owns the tasks: stop.
  kUnknown,    ///< Either; the transport has failed. Only a restart tells.
};

struct AppendedRange {
  StreamId stream;
  PartitionId partition;
  Offset begin;
  Offset end;
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::kUnknown;
  std::vector<AppendedRange> ranges;  ///< One per frame, in order; empty unless committed.
  std::optional<Error> error;         ///< Set unless committed.
};

using CommitCallback = std::function<void(const CommitResult&)>;

/// Collects one epoch: records, state and positions that become durable together or not at all.
/// Call Append... and Set... in any order, then CommitAsync once; afterwards only destroy it.
/// Destroying it without CommitAsync discards it. One thread at a time.
class EpochWriter {
 public:
  virtual ~EpochWriter() = default;

  /// Appends rows to a stream partition. Offsets are given at the commit, in CommitAsync order.
  /// Encodes on the calling thread. `batch` has at least one row and the stream's schema.
  virtual void Append(StreamId stream, PartitionId partition, BatchPtr batch,
                      const EventTimes& times) = 0;
  /// Appends a control or state frame; it takes one offset.
  virtual void AppendOpaque(StreamId stream, PartitionId partition, FrameType type,
                            Bytes payload) = 0;
  /// Puts a control frame in front of all frames of the epoch; it takes one offset. `event_time` is
  /// what it raises the partition's maximum to, kMicrosMin = nothing.
  virtual void PrependControl(StreamId stream, PartitionId partition, const ControlFrame& control,
                              Micros event_time) = 0;
  /// Sets the next offset that `reader` will read. A reader exists from its first position on.
  virtual void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                           Offset next) = 0;
  /// Sets the opaque position of one split (a file, an external partition) of a source; an empty
  /// `value` removes it.
  virtual void SetSourcePosition(std::string_view source, std::string_view split,
                                 std::string value) = 0;
  /// Gives up the records below `begin`.
  virtual void Trim(StreamId stream, PartitionId partition, Offset begin) = 0;
  /// Hands the epoch over. Never blocks on the disk. `callback` runs once, on a thread of the
  /// transport, and must be brief; epochs of one process are decided in CommitAsync order.
  virtual void CommitAsync(CommitCallback callback) = 0;
};

/// Reads one stream partition in offset order. Owned by one thread at a time.
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// Returns the next frames, whole, up to about `bytes_max` in memory (at least one if there is
  /// any), and moves behind them; none at the visible end. May read the disk.
  /// Errors: kOffsetOutOfRange when the position has been trimmed away, kCorruption, kIoError.
  virtual Result<std::vector<StreamFrame>> Poll(size_t bytes_max) = 0;
  /// Moves to `offset`, which may lie inside a frame: the frame is then returned whole, and the
  /// caller skips.
  virtual void Seek(Offset offset) = 0;
  virtual Offset position() const = 0;
};

using SubscriptionId = uint64_t;

/// The seam to durable streams (design section 5). Thread-safe.
///
/// Implementations: EmbeddedTransport (files), MemoryTransport (tests, simulation). The contract is
/// proved by transport_conformance_test.h.
class Transport {
 public:
  using Positions = std::map<std::pair<StreamId, PartitionId>, Offset>;
  using SourcePositions = std::map<std::string, std::string, std::less<>>;

  virtual ~Transport() = default;

  /// Creates a stream; durable on return. With an existing name: its id when the definition is the
  /// same, else kStreamExists. Blocks.
  virtual Result<StreamId> CreateStream(const StreamDefinition& definition) = 0;
  /// Does all of `changes` in one commit; durable on return. While it runs nobody may write, read
  /// or subscribe to the streams that change. kDiskFull: it will be done when there is room; do not
  /// repeat it, CreateStream waits for it. Blocks.
  virtual Status ChangeStreams(const StreamChanges& changes) = 0;
  virtual std::optional<StreamInfo> FindStream(std::string_view name) = 0;
  virtual std::vector<StreamInfo> Streams() = 0;
  virtual PartitionInfo Describe(StreamId stream, PartitionId partition) = 0;
  /// Behind the first frames that have `bytes` together; or behind all that end by `end`, if they
  /// have less.
  virtual Offset OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end) = 0;

  virtual std::unique_ptr<EpochWriter> BeginEpoch() = 0;
  virtual std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                             Visibility visibility) = 0;

  /// Durable positions of a reader; empty when it does not exist.
  virtual Positions ReaderPositions(std::string_view reader) = 0;
  /// Durable positions of a source by split.
  virtual SourcePositions ReadSourcePositions(std::string_view source) = 0;

  /// Calls `notify` after records of `stream` became visible; on any thread, must be brief and not
  /// call back. No call runs after Unsubscribe has returned.
  virtual SubscriptionId Subscribe(StreamId stream, Visibility visibility,
                                   std::function<void()> notify) = 0;
  virtual void Unsubscribe(SubscriptionId subscription) = 0;

  /// True while a round waits for disk space: new input should be refused (HTTP 507).
  virtual bool disk_full() const = 0;
};

}  // namespace millrace
