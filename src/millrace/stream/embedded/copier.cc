#include "millrace/stream/embedded/copier.h"

#include <algorithm>
#include <utility>

#include "millrace/base/planted_bug.h"

namespace millrace {

namespace {

/// What is read before it is written: little enough to be still in the processor's cache.
constexpr uint64_t kChunkBytes = uint64_t{512} << 10;

}  // namespace

Copier::Copier(const DataDirectory& directory, StreamTable& table, SegmentStore& segments,
               Committer& committer, uint64_t segment_bytes, const EmbeddedMetrics& metrics,
               std::function<void()> on_decided)
    : directory_(directory),
      table_(table),
      segments_(segments),
      committer_(committer),
      segment_bytes_(segment_bytes),
      metrics_(metrics),
      on_decided_(std::move(on_decided)) {}

Result<bool> Copier::Step() {
  if (in_flight_.load(std::memory_order_acquire)) {
    return false;
  }
  while (!removals_.empty()) {
    MR_TRY(segments_.Remove(*table_.Find(removals_.back().stream), removals_.back().segment));
    removals_.pop_back();
    metrics_.removed_segments.Add();
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
  written_.clear();
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
  std::ranges::sort(needed, {},
                    [](const JournalFrame& f) { return std::pair(f.partition, f.begin); });
  const StreamInfo info = *table_.Find(stream);
  auto writer = writers_.find(stream);
  if (writer == writers_.end()) {
    writer = writers_.try_emplace(stream, segments_, info, segment_bytes_).first;
  }
  MR_TRY(writer->second.Begin(length));
  FrameJoiner joiner(info, directory_.identity());
  std::vector<FrameJoiner::Stored> stored;
  uint64_t chunk_bytes = 0;
  for (const JournalFrame& frame : needed) {
    MR_ASSIGN(auto read, ReadFrame(journal, frame));
    if (!joiner.Fits(read.first)) {
      MR_TRY(TakeJoined(joiner, stored));
      if (chunk_bytes > kChunkBytes) {
        MR_TRY(WriteChunk(stored, writer->second));
        chunk_bytes = 0;
      }
    }
    chunk_bytes += frame.location.bytes;
    joiner.Add(read.first, std::move(read.second));
  }
  MR_TRY(TakeJoined(joiner, stored));
  MR_TRY(WriteChunk(stored, writer->second));
  MR_ASSIGN(const auto range, writer->second.Finish());
  ranges_.push_back(range);
  PlaceFrames(range);
  metrics_.copied_bytes.Add(static_cast<double>(range.length));
  return {};
}

Result<std::pair<StoredFrameHeader, BufferPtr>> Copier::ReadFrame(File& journal,
                                                                  const JournalFrame& frame) {
  const std::string path = directory_.JournalPath(frame.location.file);
  MR_ASSIGN(auto bytes, ReadExactly(journal, path, frame.location.position, frame.location.bytes));
  // Once its journal file is gone, a frame that was copied damaged could not be told from others.
  auto header = CheckFrame(bytes->bytes(), directory_.identity());
  if (!header) {
    return Err(
        header.error().WithContext(fmt::format("{} at byte {}", path, frame.location.position)));
  }
  return std::pair(*header, std::move(bytes));
}

Status Copier::TakeJoined(FrameJoiner& joiner, std::vector<FrameJoiner::Stored>& stored) {
  MR_ASSIGN(auto taken, joiner.Take());
  std::ranges::move(taken, std::back_inserter(stored));
  return {};
}

Status Copier::WriteChunk(std::vector<FrameJoiner::Stored>& stored, SegmentWriter& writer) {
  std::vector<std::span<const std::byte>> pieces;
  for (const FrameJoiner::Stored& frame : stored) {
    pieces.push_back(frame.bytes->bytes());
    written_.push_back({.key = frame.key,
                        .to = {.kind = FrameLocation::Kind::kSegment,
                               .bytes = static_cast<uint32_t>(frame.bytes->size())}});
  }
  MR_TRY(writer.Append(pieces));
  stored.clear();
  return {};
}

void Copier::PlaceFrames(const SegmentRange& range) {
  uint64_t position = range.position;
  for (StreamTable::Move& move : written_) {
    move.to.file = range.segment;
    move.to.position = position;
    position += move.to.bytes;
  }
  moves_[range.stream] = std::exchange(written_, {});
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
      for (const auto& [stream, moves] : moves_) {
        table_.Relocate(stream, moves);
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
