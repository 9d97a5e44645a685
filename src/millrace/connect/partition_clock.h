#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Which partitions of a stream are idle, and the watermark that its writers have promised: kept by
/// whoever appends to the stream, in append order (design section 6, "Time"). Not thread-safe: the
/// owner holds one lock over each use and the CommitAsync that follows from it.
///
/// A partition is idle until its first record, and after an idle frame. When it becomes active
/// again its watermark is raised to the stream's, by an active frame in front of its records: so a
/// row that comes late to a window that others have closed is late by its own partition's log, and
/// every replay finds the same.
class PartitionClock {
 public:
  PartitionClock(size_t partitions, Micros watermark_delay);

  /// Takes a partition up where its log ends: `last` is its last frame, null when it is empty. It
  /// counts as appended to at `now`, for nobody knows how long ago it was.
  void Restore(size_t partition, const PartitionInfo& info, const StreamFrame* last,
               std::chrono::nanoseconds now);

  /// Notes an append with event times up to `max` (kMicrosMin = none) at monotonic `now`. Returns
  /// the control frame to append in front when the partition was idle.
  std::optional<ControlFrame> Append(size_t partition, Micros max, std::chrono::nanoseconds now);

  /// Returns the control frame to append when the partition has had no record for `timeout`.
  std::optional<ControlFrame> Idle(size_t partition, std::chrono::nanoseconds timeout,
                                   std::chrono::nanoseconds now);

  /// The same for a stream that has had nothing at all for `timeout`: returned once, for partition
  /// 0. Readers of several streams wait for the first frame of each.
  std::optional<ControlFrame> IdleFromTheStart(std::chrono::nanoseconds timeout,
                                               std::chrono::nanoseconds now);

  // What a source that knows its splits decides by itself. Each returns the control frame to
  // append, or nothing when the partition is so already.

  /// Lets the partition hold back the watermark before its first record.
  std::optional<ControlFrame> Activate(size_t partition);
  /// Promises that no record of the partition that still comes is before `max_event_time`, less the
  /// delay.
  std::optional<ControlFrame> Raise(size_t partition, Micros max_event_time);
  std::optional<ControlFrame> SetIdle(size_t partition);
  /// No record comes any more: the partition's watermark is infinite.
  std::optional<ControlFrame> End(size_t partition);

  /// The event time from which on a record that is appended now is not late for any window.
  Micros InTimeFrom(size_t partition);

  /// The event time that a control frame raises its partition to.
  Micros EventTimeOf(const ControlFrame& control) const;

  /// Minimum over the active partitions; when none is, that of the partition furthest ahead, since
  /// a reader may have seen the others idle before it. Never goes back.
  Micros watermark();

 private:
  struct Partition {
    bool idle = true;
    bool ended = false;
    Micros max_event_time = kMicrosMin;
    std::chrono::nanoseconds last_append{0};
  };
  void Advance();

  const Micros delay_;
  std::vector<Partition> partitions_;
  Micros watermark_ = kMicrosMin;
  bool is_new_ = true;  // Nothing was ever appended.
};

}  // namespace millrace
