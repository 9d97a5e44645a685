#include "millrace/stream/memory/memory_transport.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/stream/epoch_collector.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

Error ErrorOf(CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::kAborted:
      return {ErrorCode::kCommitAborted, "the commit was aborted, as the test wants it"};
    case CommitOutcome::kFenced:
      return {ErrorCode::kCommitFenced, "the commit was fenced, as the test wants it"};
    default:
      return {ErrorCode::kCommitUnknown, "the transport has failed, as the test wants it"};
  }
}

CommitResult ResultOf(const EpochContent& content, CommitOutcome outcome) {
  CommitResult result{.outcome = outcome, .ranges = {}, .error = {}};
  if (outcome != CommitOutcome::kCommitted) {
    result.error = ErrorOf(outcome);
    return result;
  }
  for (const AppendedFrame& frame : content.frames) {
    result.ranges.push_back({frame.stream, frame.partition, frame.frame.begin, frame.frame.end()});
  }
  return result;
}

}  // namespace

class MemoryTransport::Writer final : public EpochCollector {
 public:
  explicit Writer(MemoryTransport& transport) : transport_(transport) {}

  void CommitAsync(CommitCallback callback) override {
    auto epoch = std::make_unique<Epoch>();
    epoch->content = std::move(content_);
    epoch->callback = std::move(callback);
    transport_.Commit(std::move(epoch));
  }

 private:
  MemoryTransport& transport_;
};

std::unique_ptr<MemoryTransport> MemoryTransport::Immediate() {
  return std::unique_ptr<MemoryTransport>(new MemoryTransport(/*immediate=*/true));
}

std::unique_ptr<MemoryTransport> MemoryTransport::Delayed() {
  return std::unique_ptr<MemoryTransport>(new MemoryTransport(/*immediate=*/false));
}

void MemoryTransport::Script(std::vector<CommitOutcome> outcomes) {
  MutexLock lock(mutex_);
  script_.assign(outcomes.begin(), outcomes.end());
}

void MemoryTransport::SetProbabilities(uint64_t seed, Probabilities probabilities) {
  MutexLock lock(mutex_);
  rng_ = Rng(seed);
  probabilities_ = probabilities;
}

CommitOutcome MemoryTransport::NextOutcome() {
  if (cascade_ != CommitOutcome::kCommitted) {
    return cascade_;
  }
  if (!script_.empty()) {
    const CommitOutcome outcome = script_.front();
    script_.pop_front();
    return outcome;
  }
  const auto [aborted, fenced, unknown] = probabilities_;
  const double draw = rng_.Unit();
  if (draw < aborted) {
    return CommitOutcome::kAborted;
  }
  if (draw < aborted + fenced) {
    return CommitOutcome::kFenced;
  }
  return draw < aborted + fenced + unknown ? CommitOutcome::kUnknown : CommitOutcome::kCommitted;
}

void MemoryTransport::Commit(std::unique_ptr<Epoch> epoch) {
  {
    MutexLock lock(mutex_);
    const bool failed = cascade_ == CommitOutcome::kUnknown;
    epoch->outcome = NextOutcome();
    const bool there_after_all = epoch->outcome == CommitOutcome::kUnknown && !failed &&
                                 probabilities_.unknown > 0 && rng_.Chance(0.5);
    epoch->appended = epoch->outcome == CommitOutcome::kCommitted || there_after_all;
    if (epoch->outcome != CommitOutcome::kCommitted) {
      cascade_ = epoch->outcome;
    }
    if (epoch->appended) {
      table_.Append(epoch->content, [] {});
    }
    queue_.push_back(std::move(epoch));
    if (!immediate_ || deciding_) {
      return;
    }
    deciding_ = true;
  }
  // A callback may commit again: that epoch waits in the queue for this loop.
  while (DecideOne()) {
  }
}

bool MemoryTransport::DecideOne() {
  std::unique_ptr<Epoch> epoch;
  {
    MutexLock lock(mutex_);
    if (queue_.empty()) {
      deciding_ = false;
      return false;
    }
    epoch = std::move(queue_.front());
    queue_.pop_front();
  }
  if (epoch->outcome == CommitOutcome::kCommitted) {
    table_.Publish(epoch->content, {});
  }
  if (epoch->callback) {
    epoch->callback(ResultOf(epoch->content, epoch->outcome));
  }
  MutexLock lock(mutex_);
  if (epoch->outcome == CommitOutcome::kUnknown && epoch->appended) {
    in_doubt_ = std::move(epoch);
  }
  const bool others = std::ranges::any_of(
      queue_, [](const auto& queued) { return queued->outcome != CommitOutcome::kCommitted; });
  if (!others && cascade_ != CommitOutcome::kUnknown) {
    cascade_ = CommitOutcome::kCommitted;
  }
  return true;
}

size_t MemoryTransport::Decide(size_t count) {
  size_t decided = 0;
  while (decided < count && DecideOne()) {
    ++decided;
  }
  return decided;
}

size_t MemoryTransport::undecided_count() {
  MutexLock lock(mutex_);
  return queue_.size();
}

bool MemoryTransport::failed() {
  MutexLock lock(mutex_);
  return cascade_ == CommitOutcome::kUnknown;
}

void MemoryTransport::Restart() {
  MutexLock lock(mutex_);
  if (in_doubt_ != nullptr) {
    table_.Publish(in_doubt_->content, {});
    in_doubt_.reset();
  }
  queue_.clear();
  script_.clear();
  cascade_ = CommitOutcome::kCommitted;
  table_.DropUnpublished();
}

Result<StreamId> MemoryTransport::CreateStream(const StreamDefinition& definition) {
  MutexLock lock(mutex_);
  if (const auto existing = table_.Find(definition.name)) {
    if (!SameDefinition(existing->definition, definition)) {
      return Err(ErrorCode::kStreamExists,
                 fmt::format("stream {} exists with another definition", definition.name));
    }
    return existing->id;
  }
  MR_TRY(CheckDefinition(definition));
  const StreamId id(next_stream_++);
  table_.AddStream({.id = id, .definition = definition});
  return id;
}

Status MemoryTransport::ChangeStreams(const StreamChanges& changes) {
  MutexLock lock(mutex_);
  StreamTable::PlannedChanges planned = table_.Plan(changes);
  table_.Publish(planned.content, {});
  for (const StreamInfo& info : planned.definitions) {
    table_.Redefine(info);
  }
  return {};
}

std::optional<StreamInfo> MemoryTransport::FindStream(std::string_view name) {
  return table_.Find(name);
}

std::vector<StreamInfo> MemoryTransport::Streams() { return WithoutDropped(table_.Streams()); }

PartitionInfo MemoryTransport::Describe(StreamId stream, PartitionId partition) {
  return table_.Describe(stream, partition);
}

Offset MemoryTransport::OffsetBehind(StreamId stream, PartitionId partition, size_t bytes,
                                     Offset end) {
  return table_.OffsetBehind(stream, partition, bytes, end);
}

std::unique_ptr<EpochWriter> MemoryTransport::BeginEpoch() {
  return std::make_unique<Writer>(*this);
}

std::unique_ptr<Cursor> MemoryTransport::OpenCursor(StreamId stream, PartitionId partition,
                                                    Offset from, Visibility visibility) {
  return table_.OpenCursor(stream, partition, from, visibility);
}

Transport::Positions MemoryTransport::ReaderPositions(std::string_view reader) {
  return table_.ReaderPositions(reader);
}

Transport::SourcePositions MemoryTransport::ReadSourcePositions(std::string_view source) {
  return table_.SourcePositionsOf(source);
}

SubscriptionId MemoryTransport::Subscribe(StreamId stream, Visibility visibility,
                                          std::function<void()> notify) {
  return table_.Subscribe(stream, visibility, std::move(notify));
}

void MemoryTransport::Unsubscribe(SubscriptionId subscription) { table_.Unsubscribe(subscription); }

}  // namespace millrace
