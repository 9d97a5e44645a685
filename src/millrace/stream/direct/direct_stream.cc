#include "millrace/stream/direct/direct_stream.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "millrace/stream/epoch_collector.h"
#include "millrace/stream/transport_decorator.h"

namespace millrace {

namespace {

CommitResult Aborted() {
  return {.outcome = CommitOutcome::kAborted,
          .ranges = {},
          .error = Error(ErrorCode::kCommitAborted, "the stream is closed")};
}

}  // namespace

class DirectStream::SourceWriter final : public EpochCollector {
 public:
  explicit SourceWriter(DirectStream& stream) : stream_(stream) {}

  void CommitAsync(CommitCallback callback) override {
    stream_.Hold(std::move(content_), std::move(callback));
  }

 private:
  DirectStream& stream_;
};

/// A transport but for the stream.
class DirectStream::Side : public TransportDecorator {
 public:
  Side(DirectStream& stream, Transport& below) : TransportDecorator(below), stream_(stream) {}

  PartitionInfo Describe(StreamId stream, PartitionId partition) override {
    return IsOwn(stream) ? stream_.table_.Describe(stream, partition)
                         : base().Describe(stream, partition);
  }
  std::unique_ptr<Cursor> OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                     Visibility visibility) override {
    return IsOwn(stream) ? stream_.table_.OpenCursor(stream, partition, from, visibility)
                         : base().OpenCursor(stream, partition, from, visibility);
  }

 protected:
  DirectStream& stream() { return stream_; }
  bool IsOwn(StreamId stream) const { return stream == stream_.stream_.id; }

 private:
  DirectStream& stream_;
};

class DirectStream::SourceSide final : public Side {
 public:
  explicit SourceSide(DirectStream& stream) : Side(stream, stream.base_) {}

  std::unique_ptr<EpochWriter> BeginEpoch() override {
    return std::make_unique<SourceWriter>(stream());
  }
};

/// Passes an epoch of the pipeline on, and adds what it has taken in.
class DirectStream::ReaderWriter final : public EpochWriterDecorator {
 public:
  ReaderWriter(DirectStream& stream, std::unique_ptr<EpochWriter> below)
      : EpochWriterDecorator(std::move(below)), stream_(stream) {}

  void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                   Offset next) override {
    if (stream == stream_.stream_.id) {
      ends_[partition] = next;
    }
    below().SetPosition(reader, stream, partition, next);
  }

  void CommitAsync(CommitCallback callback) override {
    if (ends_.empty()) {
      below().CommitAsync(std::move(callback));
      return;
    }
    const uint64_t number = stream_.Take(ends_, below());
    below().CommitAsync(
        [&stream = stream_, number, callback = std::move(callback)](const CommitResult& result) {
          stream.Decide(number, result);
          if (callback) {
            callback(result);
          }
        });
  }

 private:
  DirectStream& stream_;
  Ends ends_;
};

class DirectStream::ReaderSide final : public Side {
 public:
  using Side::Side;

  std::unique_ptr<EpochWriter> BeginEpoch() override {
    return std::make_unique<ReaderWriter>(stream(), base().BeginEpoch());
  }
  SubscriptionId Subscribe(StreamId stream_id, Visibility visibility,
                           std::function<void()> notify) override {
    if (!IsOwn(stream_id)) {
      return base().Subscribe(stream_id, visibility, std::move(notify));
    }
    own_ = stream().table_.Subscribe(stream_id, visibility, std::move(notify));
    return kOwn;
  }
  void Unsubscribe(SubscriptionId subscription) override {
    if (subscription == kOwn && own_) {
      stream().table_.Unsubscribe(*std::exchange(own_, std::nullopt));
    } else {
      base().Unsubscribe(subscription);
    }
  }

 private:
  /// No transport gives this number.
  static constexpr SubscriptionId kOwn = ~SubscriptionId{0};

  std::optional<SubscriptionId> own_;
};

bool DirectStream::Held::SharesSplit(const Held& other) const {
  return std::ranges::any_of(positions, [&](const SourcePositionUpdate& mine) {
    return std::ranges::any_of(other.positions, [&](const SourcePositionUpdate& theirs) {
      return mine.source == theirs.source && mine.split == theirs.split;
    });
  });
}

DirectStream::DirectStream(Transport& base, StreamInfo stream)
    : base_(base), stream_(std::move(stream)), source_side_(std::make_unique<SourceSide>(*this)) {
  table_.AddStream(stream_);
}

DirectStream::~DirectStream() = default;

std::string DirectStream::HistorySource(std::string_view stream) {
  return fmt::format("direct:{}", stream);
}

Result<std::unique_ptr<DirectStream>> DirectStream::Open(Transport& base, const StreamInfo& stream,
                                                         const std::string& reader) {
  std::unique_ptr<DirectStream> direct(new DirectStream(base, stream));
  MR_TRY(direct->Restore(reader));
  return direct;
}

std::unique_ptr<Transport> DirectStream::reader_side(Transport& below) {
  return std::make_unique<ReaderSide>(*this, below);
}

Status DirectStream::Restore(const std::string& reader) {
  const auto positions = base_.ReaderPositions(reader);
  const auto histories = base_.ReadSourcePositions(HistorySource(stream_.definition.name));
  MutexLock lock(mutex_);
  for (uint32_t p = 0; p < stream_.definition.partitions; ++p) {
    const PartitionId partition(p);
    const auto position = positions.find({stream_.id, partition});
    const auto text = histories.find(fmt::format("{}", p));
    if (position == positions.end() || text == histories.end()) {
      continue;
    }
    MR_ASSIGN(const auto history, PartitionHistory::Decode(text->second));
    // Its last frame stands for all before it.
    const Offset last(position->second.value() - 1);
    table_.RestoreBounds(stream_.id, partition, last, last, history.max_event_time);
    EpochContent content;
    content.frames.push_back({.stream = stream_.id,
                              .partition = partition,
                              .frame = {.type = FrameType::kControl,
                                        .count = 1,
                                        .payload = Buffer::Own(history.last.Encode())},
                              .encoded = {}});
    table_.Append(content, [] {});
    table_.Publish(content, {});
    read_.ends[partition] = position->second;
    read_.histories[partition] = history;
  }
  durable_ = read_;
  first_ = read_.histories[PartitionId(0)];
  return {};
}

void DirectStream::Hold(EpochContent content, CommitCallback callback) {
  Held held{.stored = {}, .positions = std::move(content.source_positions), .callback = {}};
  EpochContent direct;
  for (AppendedFrame& frame : content.frames) {
    const bool is_own = frame.stream == stream_.id;
    held.has_rows = held.has_rows || (is_own && frame.frame.type == FrameType::kData);
    (is_own ? direct.frames : held.stored).push_back(std::move(frame));
  }
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      if (direct.frames.empty()) {
        direct.frames.push_back(WakeUp());
      }
      // Under the lock, so that the epochs are held in the order of their offsets.
      table_.Append(direct, [] {});
      table_.Publish(direct, {});
      for (const AppendedFrame& frame : direct.frames) {
        Offset& end = held.ends[frame.partition];
        end = std::max(end, frame.frame.end());
        if (frame.partition == PartitionId(0)) {
          first_.Note(frame.frame);
        }
      }
      held.callback = std::move(callback);
      held_.push_back(std::move(held));
      return;
    }
  }
  if (callback) {
    callback(Aborted());
  }
}

AppendedFrame DirectStream::WakeUp() const {
  return {.stream = stream_.id,
          .partition = PartitionId(0),
          .frame = {.type = FrameType::kControl,
                    .count = 1,
                    .payload = Buffer::Own(first_.last.Encode())},
          .encoded = {}};
}

bool DirectStream::IsRead(const Held& held) const {
  return std::ranges::all_of(held.ends, [this](const auto& end) MR_REQUIRES(mutex_) {
    const auto read = read_.ends.find(end.first);
    return read != read_.ends.end() && read->second >= end.second;
  });
}

void DirectStream::TakeHeld(Held& held, uint64_t number, EpochWriter& writer) {
  held.taken_by = number;
  for (const AppendedFrame& frame : held.stored) {
    if (frame.frame.type == FrameType::kData) {
      writer.Append(frame.stream, frame.partition, frame.frame.batch, frame.frame.times);
    } else {
      const auto payload = frame.frame.payload->bytes();
      writer.AppendOpaque(frame.stream, frame.partition, frame.frame.type,
                          Bytes(payload.begin(), payload.end()));
    }
  }
  for (const SourcePositionUpdate& position : held.positions) {
    writer.SetSourcePosition(position.source, position.split, position.value);
  }
}

void DirectStream::NoteRead(PartitionId partition, Offset end) {
  Offset& read = read_.ends[partition];
  PartitionHistory& history = read_.histories[partition];
  const auto cursor = table_.OpenCursor(stream_.id, partition, read, Visibility::kAppended);
  const auto frames = cursor->Poll(SIZE_MAX);
  MR_CHECK(frames.has_value(), "partition {} of {} from {} is not there", partition,
           stream_.definition.name, read);
  for (const StreamFrame& frame : *frames) {
    if (frame.end() <= end) {
      history.Note(frame);
    }
  }
  read = end;
}

uint64_t DirectStream::Take(const Ends& ends, EpochWriter& writer) {
  MutexLock lock(mutex_);
  const uint64_t number = next_number_++;
  for (const auto& [partition, end] : ends) {
    NoteRead(partition, end);
    writer.SetSourcePosition(HistorySource(stream_.definition.name), fmt::format("{}", partition),
                             read_.histories[partition].Encode());
  }
  // Rows are in the pipeline's state as soon as it has read them. All else may wait until what was
  // before it is taken, but not longer than rows of the same split behind it.
  bool all_before = true;
  for (auto held = held_.begin(); held != held_.end(); ++held) {
    if (!held->taken_by && IsRead(*held) && (held->has_rows || all_before)) {
      for (auto earlier = held_.begin(); earlier != held; ++earlier) {
        if (!earlier->taken_by && earlier->SharesSplit(*held)) {
          TakeHeld(*earlier, number, writer);
        }
      }
      TakeHeld(*held, number, writer);
    }
    all_before = all_before && held->taken_by;
  }
  takings_.push_back({.number = number, .progress = read_});
  return number;
}

void DirectStream::Decide(uint64_t number, const CommitResult& result) {
  std::vector<CommitCallback> answered;
  {
    MutexLock lock(mutex_);
    if (result.outcome == CommitOutcome::kAborted) {
      // The pipeline aborts what is behind this too, and then reads all of it again.
      read_ = durable_;
      takings_.clear();
      std::ranges::for_each(held_, [](Held& held) { held.taken_by.reset(); });
      return;
    }
    const bool is_committed = result.outcome == CommitOutcome::kCommitted;
    std::erase_if(held_, [&](Held& held) {
      const bool is_decided = !is_committed || held.taken_by == number;
      if (is_decided && held.callback) {
        answered.push_back(std::move(held.callback));
      }
      return is_decided;
    });
    if (is_committed) {
      MR_CHECK(!takings_.empty() && takings_.front().number == number, "epochs decided in order");
      durable_ = std::move(takings_.front().progress);
      takings_.pop_front();
      Trim(durable_.ends);
    }
  }
  Answer(answered, result);
}

void DirectStream::Trim(const Ends& ends) {
  EpochContent content;
  for (const auto& [partition, end] : ends) {
    content.trims.push_back({stream_.id, partition, end});
  }
  table_.Append(content, [] {});
  table_.Publish(content, {});
}

void DirectStream::Answer(const std::vector<CommitCallback>& callbacks,
                          const CommitResult& result) {
  const CommitResult answer{.outcome = result.outcome, .ranges = {}, .error = result.error};
  for (const CommitCallback& callback : callbacks) {
    callback(answer);
  }
}

void DirectStream::Close() {
  std::vector<CommitCallback> answered;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    for (Held& held : held_) {
      if (held.callback) {
        answered.push_back(std::exchange(held.callback, nullptr));
      }
    }
  }
  Answer(answered, Aborted());
}

}  // namespace millrace
