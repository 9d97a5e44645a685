#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "millrace/stream/embedded/committer.h"
#include "millrace/stream/embedded/frame_joiner.h"

namespace millrace {

/// Moves the frames of full journal files into segments, small ones joined, syncs these, commits
/// that, and only then gives the journal files back; removes segments that hold nothing readable
/// any more. Used by one thread at a time, beside the committer's.
class Copier {
 public:
  /// `on_decided` runs on the committer's thread when Step may be called again with effect.
  Copier(const DataDirectory& directory, StreamTable& table, SegmentStore& segments,
         Committer& committer, uint64_t segment_bytes, const EmbeddedMetrics& metrics,
         std::function<void()> on_decided);

  /// Does one journal file, or looks for segments to remove. Returns whether it queued something at
  /// the committer; while that is not decided further calls do nothing. kDiskFull: call again
  /// later.
  Result<bool> Step();

 private:
  Status CopyFrames(const Committer::SealedJournal& journal);
  Status WriteStream(StreamId stream, File& journal, std::span<const JournalFrame> frames);
  Result<std::pair<StoredFrameHeader, BufferPtr>> ReadFrame(File& journal,
                                                            const JournalFrame& frame);
  static Status TakeJoined(FrameJoiner& joiner, std::vector<FrameJoiner::Stored>& stored);
  /// Writes `stored` and empties it.
  Status WriteChunk(std::vector<FrameJoiner::Stored>& stored, SegmentWriter& writer);
  /// Notes where the frames of a range lie.
  void PlaceFrames(const SegmentRange& range);
  void QueueCopied();
  Result<bool> RemoveUnused();
  void Decided();

  const DataDirectory& directory_;
  StreamTable& table_;
  SegmentStore& segments_;
  Committer& committer_;
  const uint64_t segment_bytes_;
  const EmbeddedMetrics metrics_;
  const std::function<void()> on_decided_;
  std::map<StreamId, SegmentWriter> writers_;

  /// The journal being copied; kept for a retry after kDiskFull.
  std::optional<Committer::SealedJournal> journal_;
  std::vector<SegmentRange> ranges_;
  std::vector<StreamTable::Move> written_;  // Of the range being written; without their places.
  std::map<StreamId, std::vector<StreamTable::Move>> moves_;
  std::vector<SegmentRemoval> removals_;
  std::atomic<bool> in_flight_{false};
  std::optional<uint64_t> retired_journal_;
};

}  // namespace millrace
