#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/stream/embedded/embedded_metrics.h"
#include "millrace/stream/embedded/journal.h"
#include "millrace/stream/embedded/segment_store.h"
#include "millrace/stream/stream_table.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A frame inside a journal record, for the copier.
struct JournalFrame {
  StreamId stream;
  PartitionId partition;
  Offset begin;
  uint32_t count = 0;
  FrameType type = FrameType::kData;
  FrameLocation location;
};

/// Makes epochs durable, in the order in which they were queued: whatever is ready shares a round,
/// one journal write and one sync. The only writer of the journal.
///
/// Queue may be called from any thread; everything else from one thread at a time.
class Committer {
 public:
  struct Options {
    /// Frames of one stream in one round that sum up to this go to a segment first (one more sync,
    /// but written once instead of twice).
    uint64_t direct_bytes_min = 256 << 10;
    uint64_t segment_bytes = 256 << 20;
    /// A round takes queued epochs up to this; at least one.
    uint64_t round_bytes_max = 32 << 20;
    EmbeddedMetrics metrics;
  };

  struct Pending {
    EpochContent content;
    /// Copier's epochs: what became part of segments and is committed by this.
    std::vector<SegmentRange> ranges;
    std::vector<uint64_t> copied_journals;
    std::vector<SegmentRemoval> removals;
    std::vector<StreamTable::Snapshot::PartitionState> partitions;
    CommitCallback callback;
    uint64_t bytes = 0;
  };

  /// What RunRound did.
  enum class Outcome : uint8_t { kNothing, kCommitted, kDiskFull };

  Committer(const DataDirectory& directory, StreamTable& table, SegmentStore& segments,
            Journal& journal, Options options);

  /// Adds an epoch whose frames have offsets; call in offset order. Never blocks on the disk.
  void Queue(std::unique_ptr<Pending> pending) MR_EXCLUDES(mutex_);

  /// Writes one round of what is queued. On kDiskFull nothing was committed and the next call tries
  /// the same round again. An error means that the transport has failed: what was queued is in
  /// doubt, and nothing more may be written.
  Result<Outcome> RunRound() MR_EXCLUDES(mutex_);

  /// Writes the mark behind the last round, when nothing is queued.
  Status MarkIdle();

  bool HasWork() MR_EXCLUDES(mutex_);

  /// Waits until something is queued, StopWaiting is called, or `timeout` has passed.
  void WaitForWork(std::chrono::nanoseconds timeout) MR_EXCLUDES(mutex_);
  /// Waits until StopWaiting is called or `timeout` has passed, whatever is queued.
  void Pause(std::chrono::nanoseconds timeout) MR_EXCLUDES(mutex_);
  /// From now on no wait lasts; the owner stops or has failed.
  void StopWaiting() MR_EXCLUDES(mutex_);

  /// Answers everything queued with `outcome`; after RunRound failed, or at the end. On the thread
  /// of RunRound.
  void AbandonQueued(CommitOutcome outcome, const Error& error) MR_EXCLUDES(mutex_);

  /// Writes a full record into a new journal file, as recovery ends with.
  Status StartJournalFile(uint64_t record_bytes_min);

  /// Segment bounds as committed, for full records; recovery sets them.
  void RestoreSegment(const SegmentRange& committed);

  /// Frames of journal files that nobody has copied yet, the oldest file first; recovery adds every
  /// file it found, also those without frames, as they must be retired in order.
  void AddJournalFrames(uint64_t journal, const std::vector<JournalFrame>& frames)
      MR_EXCLUDES(mutex_);
  struct SealedJournal {
    uint64_t number;
    std::vector<JournalFrame> frames;
  };
  std::optional<SealedJournal> TakeSealedJournal() MR_EXCLUDES(mutex_);

  bool disk_full() const { return disk_full_.load(std::memory_order_relaxed); }
  uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }

 private:
  struct Round {
    std::vector<std::unique_ptr<Pending>> epochs;
    JournalEntries entries;
    std::vector<std::span<const std::byte>> inlined;
    /// Per epoch and frame.
    std::vector<std::vector<FrameLocation>> locations;
    std::vector<SegmentRange> direct;
  };
  struct FrameRef {
    size_t epoch;
    size_t frame;
  };

  bool TakeQueued() MR_EXCLUDES(mutex_);
  void NoteDiskFull(const Error& error);
  void NoteDiskRoom();
  Status Write(Round& round);
  Status WriteDirect(Round& round, StreamId stream, std::span<const FrameRef> frames);
  void CollectEntries(Round& round);
  void Finish(Round& round);
  void NoteRange(const SegmentRange& range);

  const DataDirectory& directory_;
  StreamTable& table_;
  SegmentStore& segments_;
  Journal& journal_;
  const Options options_;

  std::vector<std::unique_ptr<Pending>> current_;  // Kept for a retry.
  std::map<StreamId, SegmentWriter> writers_;
  std::map<std::pair<StreamId, uint64_t>, uint64_t> committed_bytes_;  // By segment.

  Mutex mutex_;
  CondVar work_;
  CondVar paused_;
  std::deque<std::unique_ptr<Pending>> queue_ MR_GUARDED_BY(mutex_);
  bool waits_ended_ MR_GUARDED_BY(mutex_) = false;
  std::map<uint64_t, std::vector<JournalFrame>> journal_frames_ MR_GUARDED_BY(mutex_);
  uint64_t current_journal_ MR_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> disk_full_{false};
  std::atomic<uint64_t> rounds_{0};
};

}  // namespace millrace
