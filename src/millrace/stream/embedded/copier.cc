#include "millrace/stream/embedded/copier.h"

#include <algorithm>

#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/frame_codec.h"

namespace millrace {

namespace {

/// What is read before it is written: little enough to be still in the processor's cache.
constexpr uint64_t kChunkBytes = uint64_t{512} << 10;

}  // namespace

Copier::Copier(const DataDirectory& directory, StreamTable& table, SegmentStore& segments,
               Committer& committer, uint64_t segment_bytes, std::function<void()> on_decided)
    : directory_(directory),
      table_(table),
      segments_(segments),
      committer_(committer),
      segment_bytes_(segment_bytes),
      on_decided_(std::move(on_decided)) {}

Result<bool> Copier::Step() {
  if (in_flight_.load(std::memory_order_acquire)) {
    return false;
  }
  while (!removals_.empty()) {
    MR_TRY(segments_.Remove(*table_.Find(removals_.back().stream), removals_.back().segment));
    removals_.pop_back();
  }
  if (retired_journal_) {
    MR_TRY(RetireJournal(directory_, *retired_journal_));
    retired_journal_.reset();
  }
  if (!journal_) {
    journal_ = committer_.TakeSealedJournal();
  }
  if (!journal_) {
    return RemoveUnused();
  }
  MR_TRY(CopyFrames(*journal_));
  if (MR_PLANTED(RetireBeforeCommit)) {
    MR_TRY(RetireJournal(directory_, journal_->number));
  }
  QueueCopied();
  return true;
}

Status Copier::CopyFrames(const Committer::SealedJournal& journal) {
  ranges_.clear();
  moves_.clear();
  std::map<StreamId, std::vector<JournalFrame>> by_stream;
  for (const JournalFrame& frame : journal.frames) {
    by_stream[frame.stream].push_back(frame);
  }
  MR_ASSIGN(const auto file,
            directory_.files().Open(directory_.JournalPath(journal.number), OpenMode::kRead));
  for (const auto& [stream, frames] : by_stream) {
    MR_TRY(WriteStream(stream, *file, frames));
  }
  return {};
}

Status Copier::WriteStream(StreamId stream, File& journal, std::span<const JournalFrame> frames) {
  std::vector<JournalFrame> needed;
  uint64_t length = 0;
  for (const JournalFrame& frame : frames) {
    const Offset needed_from = table_.Describe(stream, frame.partition).begin;
    if (frame.begin + frame.count <= needed_from ||
        (MR_PLANTED(DropStraddlingFrame) && frame.begin < needed_from)) {
      continue;
    }
    length += frame.location.bytes;
    needed.push_back(frame);
  }
  if (needed.empty()) {
    return {};
  }
  auto writer = writers_.find(stream);
  if (writer == writers_.end()) {
    writer = writers_.try_emplace(stream, segments_, *table_.Find(stream), segment_bytes_).first;
  }
  MR_TRY(writer->second.Begin(length));
  for (std::span<const JournalFrame> rest = needed; !rest.empty();) {
    MR_ASSIGN(const size_t copied, CopyChunk(journal, rest, writer->second));
    rest = rest.subspan(copied);
  }
  MR_ASSIGN(const auto range, writer->second.Finish());
  uint64_t position = range.position;
  for (const JournalFrame& frame : needed) {
    FrameLocation to = frame.location;
    to.kind = FrameLocation::Kind::kSegment;
    to.file = range.segment;
    to.position = position;
    position += to.bytes;
    moves_.push_back({stream, frame.partition, frame.begin, to});
  }
  ranges_.push_back(range);
  return {};
}

Result<size_t> Copier::CopyChunk(File& journal, std::span<const JournalFrame> frames,
                                 SegmentWriter& writer) {
  std::vector<BufferPtr> buffers;
  std::vector<std::span<const std::byte>> pieces;
  uint64_t bytes = 0;
  for (const JournalFrame& frame : frames) {
    if (bytes > 0 && bytes + frame.location.bytes > kChunkBytes) {
      break;
    }
    const std::string path = directory_.JournalPath(frame.location.file);
    MR_ASSIGN(auto read, ReadExactly(journal, path, frame.location.position, frame.location.bytes));
    // Once its journal file is gone, a frame that was copied damaged could not be told from others.
    if (auto checked = CheckFrame(read->bytes(), directory_.identity()); !checked) {
      return Err(
          checked.error().WithContext(fmt::format("{} at byte {}", path, frame.location.position)));
    }
    pieces.push_back(read->bytes());
    buffers.push_back(std::move(read));
    bytes += frame.location.bytes;
  }
  MR_TRY(writer.Append(pieces));
  return pieces.size();
}

void Copier::QueueCopied() {
  for (const SegmentRange& range : ranges_) {
    writers_.at(range.stream).Advance(range);
  }
  auto pending = std::make_unique<Committer::Pending>();
  pending->ranges = ranges_;
  pending->copied_journals = {journal_->number};
  in_flight_.store(true, std::memory_order_release);
  pending->callback = [this](const CommitResult& result) {
    if (result.outcome == CommitOutcome::kCommitted) {
      for (const Move& move : moves_) {
        table_.Relocate(move.stream, move.partition, move.begin, move.to);
      }
      if (!MR_PLANTED(RetireBeforeCommit)) {
        retired_journal_ = journal_->number;
      }
      journal_.reset();
    }
    Decided();
  };
  committer_.Queue(std::move(pending));
}

Result<bool> Copier::RemoveUnused() {
  auto pending = std::make_unique<Committer::Pending>();
  for (const StreamInfo& stream : table_.Streams()) {
    auto bounds = table_.Bounds(stream.id);
    if (std::ranges::none_of(bounds, [](const auto& b) { return b.begin > Offset(0); })) {
      continue;
    }
    const std::vector<uint64_t> closed = segments_.Closed(stream.id);
    const std::set<uint64_t> used = table_.SegmentsInUse(stream.id);
    for (const uint64_t segment : closed) {
      if (!used.contains(segment)) {
        pending->removals.push_back({stream.id, segment});
      }
    }
    // With its segments gone nothing else says where the stream's partitions end.
    if (!MR_PLANTED(ForgetBoundsAtRemoval)) {
      std::ranges::move(bounds, std::back_inserter(pending->partitions));
    }
  }
  if (pending->removals.empty()) {
    return false;
  }
  removals_ = pending->removals;
  in_flight_.store(true, std::memory_order_release);
  pending->callback = [this](const CommitResult& result) {
    if (result.outcome != CommitOutcome::kCommitted) {
      removals_.clear();
    }
    Decided();
  };
  committer_.Queue(std::move(pending));
  return true;
}

void Copier::Decided() {
  in_flight_.store(false, std::memory_order_release);
  if (on_decided_) {
    on_decided_();
  }
}

}  // namespace millrace
