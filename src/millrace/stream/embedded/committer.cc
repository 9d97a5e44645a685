#include "millrace/stream/embedded/committer.h"

#include <algorithm>

#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/journal_format.h"
#include "millrace/stream/logger.h"

namespace millrace {

namespace {

FrameLocation LocationOf(FrameLocation::Kind kind, uint64_t file, uint64_t position, size_t bytes) {
  return {.kind = kind, .bytes = static_cast<uint32_t>(bytes), .file = file, .position = position};
}

template <typename T>
void AppendTo(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Committer::Committer(const DataDirectory& directory, StreamTable& table, SegmentStore& segments,
                     Journal& journal, Options options)
    : directory_(directory),
      table_(table),
      segments_(segments),
      journal_(journal),
      options_(options) {}

void Committer::Queue(std::unique_ptr<Pending> pending) {
  MutexLock lock(mutex_);
  queue_.push_back(std::move(pending));
  work_.NotifyOne();
}

bool Committer::TakeQueued() {
  if (!current_.empty()) {
    return true;
  }
  MutexLock lock(mutex_);
  uint64_t bytes = 0;
  while (!queue_.empty() &&
         (current_.empty() || bytes + queue_.front()->bytes <= options_.round_bytes_max)) {
    bytes += queue_.front()->bytes;
    current_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  options_.metrics.queued_epochs.Set(static_cast<double>(queue_.size()));
  return !current_.empty();
}

Result<Committer::Outcome> Committer::RunRound() {
  if (!TakeQueued()) {
    return Outcome::kNothing;
  }
  Round round{.epochs = std::move(current_)};
  auto written = Write(round);
  if (!written) {
    current_ = std::move(round.epochs);
    if (written.error().code() == ErrorCode::kDiskFull) {
      NoteDiskFull(written.error());
      return Outcome::kDiskFull;
    }
    return Err(written.error());
  }
  NoteDiskRoom();
  Finish(round);
  return Outcome::kCommitted;
}

void Committer::NoteDiskFull(const Error& error) {
  options_.metrics.disk_full_waits.Add();
  if (!disk_full_.exchange(true, std::memory_order_relaxed)) {
    MR_LOG_ERROR(kStreamLog, kWarning, "the disk is full; commits wait for space", error);
  }
}

void Committer::NoteDiskRoom() {
  if (disk_full_.load(std::memory_order_relaxed)) {
    disk_full_.store(false, std::memory_order_relaxed);
    MR_LOG(kStreamLog, kInfo, "the disk has space again");
  }
}

Status Committer::Write(Round& round) {
  CollectEntries(round);
  std::map<StreamId, std::pair<uint64_t, std::vector<FrameRef>>> by_stream;
  for (size_t e = 0; e < round.epochs.size(); ++e) {
    const auto& frames = round.epochs[e]->content.frames;
    round.locations.emplace_back(frames.size());
    for (size_t f = 0; f < frames.size(); ++f) {
      auto& [bytes, refs] = by_stream[frames[f].stream];
      bytes += frames[f].encoded.size();
      refs.push_back({e, f});
    }
  }
  // Room for the record is made first: rotation takes a sequence number, and frames name theirs.
  uint64_t record_bytes = journal_format::kHeaderBytes + by_stream.size() * 64;
  Bytes encoded;
  round.entries.Encode(encoded);
  record_bytes += encoded.size();
  for (const auto& [stream, part] : by_stream) {
    record_bytes += part.first < options_.direct_bytes_min ? part.first : 0;
  }
  if (!journal_.Fits(record_bytes)) {
    MR_TRY(StartJournalFile(record_bytes));
  }
  const RoundId id(journal_.next_sequence());
  for (auto& epoch : round.epochs) {
    for (AppendedFrame& frame : epoch->content.frames) {
      SealFrame(frame, directory_.identity(), id);
    }
  }
  std::vector<FrameRef> inlined;
  for (const auto& [stream, part] : by_stream) {
    if (part.first >= options_.direct_bytes_min) {
      MR_TRY(WriteDirect(round, stream, part.second));
    } else {
      inlined.insert(inlined.end(), part.second.begin(), part.second.end());
    }
  }
  for (const FrameRef ref : inlined) {
    round.epochs[ref.epoch]->content.frames[ref.frame].encoded.AppendTo(round.inlined);
  }
  if (MR_PLANTED(PositionBeforeData) && journal_.Fits(2 * record_bytes)) {
    JournalEntries early;
    early.positions = std::exchange(round.entries.positions, {});
    MR_TRY(journal_.AppendRound(early, {}));
  }
  MR_ASSIGN(uint64_t position, journal_.AppendRound(round.entries, round.inlined));
  std::vector<JournalFrame> journal_frames;
  for (const FrameRef ref : inlined) {
    const AppendedFrame& frame = round.epochs[ref.epoch]->content.frames[ref.frame];
    const auto location = LocationOf(FrameLocation::Kind::kJournal, journal_.current_file(),
                                     position, frame.encoded.size());
    position += frame.encoded.size();
    round.locations[ref.epoch][ref.frame] = location;
    journal_frames.push_back({frame.stream, frame.partition, frame.frame.begin, frame.frame.count,
                              frame.frame.type, location});
  }
  AddJournalFrames(journal_.current_file(), journal_frames);
  return {};
}

void Committer::CollectEntries(Round& round) {
  for (auto& epoch : round.epochs) {
    AppendTo(round.entries.ranges, epoch->ranges);
    AppendTo(round.entries.copied_journals, epoch->copied_journals);
    AppendTo(round.entries.removals, epoch->removals);
    AppendTo(round.entries.partitions, epoch->partitions);
    AppendTo(round.entries.positions, epoch->content.positions);
    AppendTo(round.entries.source_positions, epoch->content.source_positions);
    AppendTo(round.entries.trims, epoch->content.trims);
  }
}

Status Committer::WriteDirect(Round& round, StreamId stream, std::span<const FrameRef> frames) {
  auto writer = writers_.find(stream);
  if (writer == writers_.end()) {
    writer =
        writers_.try_emplace(stream, segments_, *table_.Find(stream), options_.segment_bytes).first;
  }
  std::vector<std::span<const std::byte>> pieces;
  for (const FrameRef ref : frames) {
    round.epochs[ref.epoch]->content.frames[ref.frame].encoded.AppendTo(pieces);
  }
  MR_ASSIGN(const auto range, writer->second.Write(pieces));
  uint64_t position = range.position;
  for (const FrameRef ref : frames) {
    const size_t bytes = round.epochs[ref.epoch]->content.frames[ref.frame].encoded.size();
    round.locations[ref.epoch][ref.frame] =
        LocationOf(FrameLocation::Kind::kSegment, range.segment, position, bytes);
    position += bytes;
  }
  round.entries.ranges.push_back(range);
  round.direct.push_back(range);
  return {};
}

void Committer::Finish(Round& round) {
  for (const SegmentRange& range : round.direct) {
    writers_.at(range.stream).Advance(range);
  }
  for (const SegmentRange& range : round.entries.ranges) {
    NoteRange(range);
  }
  for (const SegmentRemoval& removal : round.entries.removals) {
    committed_bytes_.erase({removal.stream, removal.segment});
  }
  rounds_.fetch_add(1, std::memory_order_relaxed);
  options_.metrics.epochs.Add(static_cast<double>(round.epochs.size()));
  for (const SegmentRange& range : round.direct) {
    options_.metrics.direct_bytes.Add(static_cast<double>(range.length));
  }
  for (size_t e = 0; e < round.epochs.size(); ++e) {
    Pending& epoch = *round.epochs[e];
    options_.metrics.committed_bytes.Add(static_cast<double>(epoch.bytes));
    CommitResult result{.outcome = CommitOutcome::kCommitted, .ranges = {}, .error = {}};
    for (AppendedFrame& frame : epoch.content.frames) {
      result.ranges.push_back(
          {frame.stream, frame.partition, frame.frame.begin, frame.frame.end()});
      frame.encoded = {};
    }
    table_.Publish(epoch.content, round.locations[e]);
    if (epoch.callback) {
      epoch.callback(result);
    }
  }
}

void Committer::NoteRange(const SegmentRange& range) {
  uint64_t& bytes = committed_bytes_[{range.stream, range.segment}];
  bytes = std::max(bytes, range.position + range.length);
}

void Committer::RestoreSegment(const SegmentRange& committed) { NoteRange(committed); }

Status Committer::StartJournalFile(uint64_t record_bytes_min) {
  StreamTable::Snapshot snapshot = table_.TakeSnapshot();
  JournalEntries full;
  full.partitions = std::move(snapshot.partitions);
  full.positions = std::move(snapshot.positions);
  full.source_positions = std::move(snapshot.source_positions);
  for (const auto& [segment, bytes] : committed_bytes_) {
    full.ranges.push_back({segment.first, segment.second, 0, bytes});
  }
  MR_TRY(journal_.StartFile(full, record_bytes_min));
  MutexLock lock(mutex_);
  current_journal_ = journal_.current_file();
  journal_frames_.try_emplace(current_journal_);
  return {};
}

Status Committer::MarkIdle() { return journal_.AppendMark(); }

bool Committer::HasWork() {
  MutexLock lock(mutex_);
  return !current_.empty() || !queue_.empty();
}

void Committer::WaitForWork(std::chrono::nanoseconds timeout) {
  MutexLock lock(mutex_);
  if (queue_.empty() && !waits_ended_) {
    work_.WaitFor(mutex_, timeout);
  }
}

void Committer::Pause(std::chrono::nanoseconds timeout) {
  MutexLock lock(mutex_);
  if (!waits_ended_) {
    paused_.WaitFor(mutex_, timeout);
  }
}

void Committer::StopWaiting() {
  MutexLock lock(mutex_);
  waits_ended_ = true;
  work_.NotifyAll();
  paused_.NotifyAll();
}

void Committer::AbandonQueued(CommitOutcome outcome, const Error& error) {
  std::vector<std::unique_ptr<Pending>> abandoned = std::move(current_);
  current_.clear();
  {
    MutexLock lock(mutex_);
    std::ranges::move(queue_, std::back_inserter(abandoned));
    queue_.clear();
  }
  for (const auto& epoch : abandoned) {
    if (epoch->callback) {
      epoch->callback({.outcome = outcome, .ranges = {}, .error = error});
    }
  }
}

void Committer::AddJournalFrames(uint64_t journal, const std::vector<JournalFrame>& frames) {
  MutexLock lock(mutex_);
  auto& all = journal_frames_[journal];
  AppendTo(all, frames);
}

std::optional<Committer::SealedJournal> Committer::TakeSealedJournal() {
  MutexLock lock(mutex_);
  if (journal_frames_.empty() || journal_frames_.begin()->first >= current_journal_) {
    return std::nullopt;
  }
  auto node = journal_frames_.extract(journal_frames_.begin());
  return SealedJournal{.number = node.key(), .frames = std::move(node.mapped())};
}

}  // namespace millrace
