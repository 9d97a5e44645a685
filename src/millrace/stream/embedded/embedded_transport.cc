#include "millrace/stream/embedded/embedded_transport.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

#include "millrace/base/rng.h"
#include "millrace/base/thread.h"
#include "millrace/stream/embedded/catalog.h"
#include "millrace/stream/embedded/committer.h"
#include "millrace/stream/embedded/copier.h"
#include "millrace/stream/embedded/data_directory.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/journal.h"
#include "millrace/stream/embedded/journal_reader.h"
#include "millrace/stream/embedded/recovery.h"
#include "millrace/stream/embedded/segment_store.h"
#include "millrace/stream/epoch_collector.h"
#include "millrace/stream/logger.h"
#include "millrace/stream/stream_definition.h"
#include "millrace/stream/stream_table.h"

namespace millrace {

namespace {

constexpr std::chrono::milliseconds kIdleBeforeMark{50};
constexpr std::chrono::milliseconds kDiskFullRetry{100};
constexpr std::chrono::milliseconds kCopierPeriod{200};
constexpr std::chrono::seconds kIdleWait{1};

/// Reads frames back from journal files and segments.
class DiskLoader final : public FrameLoader {
 public:
  DiskLoader(const DataDirectory& directory, SegmentStore& segments)
      : directory_(directory), segments_(segments) {}

  Result<StreamFrame> Load(const StreamInfo& stream, const FrameKey& key,
                           const FrameLocation& location) override {
    MR_ASSIGN(const auto bytes, ReadBytes(stream, location));
    auto frame = DecodeFrame(stream, key, bytes, directory_.identity());
    if (!frame) {
      return Err(frame.error().WithContext(
          fmt::format("{} at byte {}", PathOf(stream, location), location.position)));
    }
    return frame;
  }

 private:
  std::string PathOf(const StreamInfo& stream, const FrameLocation& location) const {
    return location.kind == FrameLocation::Kind::kJournal
               ? directory_.JournalPath(location.file)
               : directory_.SegmentPath(stream, location.file);
  }

  Result<BufferPtr> ReadBytes(const StreamInfo& stream, const FrameLocation& location) {
    if (location.kind == FrameLocation::Kind::kSegment) {
      return segments_.Read(stream, location.file, location.position, location.bytes);
    }
    const std::string path = directory_.JournalPath(location.file);
    MR_ASSIGN(const auto file, directory_.files().Open(path, OpenMode::kRead));
    return ReadExactly(*file, path, location.position, location.bytes);
  }

  const DataDirectory& directory_;
  SegmentStore& segments_;
};

}  // namespace

/// Everything behind the interface. Members in order of construction.
class EmbeddedTransport::Impl {
 public:
  Impl(std::unique_ptr<DataDirectory> directory, const Clock& clock, Options options,
       Journal::Place place)
      : options_(std::move(options)),
        clock_(clock),
        directory_(std::move(directory)),
        segments_(*directory_),
        loader_(*directory_, segments_),
        table_(&loader_, options_.cache_bytes_max, options_.metrics.cache),
        journal_(*directory_, options_.journal_file_bytes, NewIncarnation(), place),
        committer_(*directory_, table_, segments_, journal_,
                   {.direct_bytes_min = options_.direct_bytes_min,
                    .segment_bytes = options_.segment_bytes,
                    .round_bytes_max = options_.round_bytes_max,
                    .metrics = options_.metrics}),
        copier_(*directory_, table_, segments_, committer_, options_.segment_bytes,
                options_.metrics, [this] { WakeCopier(); }) {}

  static uint64_t NewIncarnation() {
    uint64_t incarnation = 0;
    FillRandomBytes(&incarnation, sizeof(incarnation));
    return incarnation;
  }

  Status Recover(const JournalState& state) {
    MR_TRY(RestoreStreams(*directory_, state, table_, segments_, committer_));
    MutexLock lock(create_mutex_);
    for (const StreamInfo& stream : table_.Streams()) {
      next_stream_ = std::max(next_stream_, stream.id.value() + 1);
    }
    MR_TRY(committer_.StartJournalFile(0));
    return directory_->fresh() ? directory_->Persist() : Status{};
  }

  void Start() {
    if (!options_.manual) {
      committer_thread_ = Thread("mr-committer", [this] { CommitterLoop(); });
      copier_thread_ = Thread("mr-copier", [this] { CopierLoop(); });
    }
  }

  void Stop() {
    stopping_.store(true, std::memory_order_release);
    committer_.StopWaiting();
    committer_thread_.Join();
    WakeCopier();
    copier_thread_.Join();
    committer_.AbandonQueued(CommitOutcome::kUnknown,
                             Error(ErrorCode::kTransportClosed, "the transport is closing"));
  }

  /// One round. Returns what it did. After a failure nothing, and what is queued is answered.
  Committer::Outcome RunRound() {
    if (!failed()) {
      const auto begun = clock_.Monotonic();
      auto outcome = committer_.RunRound();
      if (outcome && *outcome == Committer::Outcome::kCommitted) {
        options_.metrics.round_seconds.Observe(
            std::chrono::duration<double>(clock_.Monotonic() - begun).count());
      }
      if (outcome && *outcome == Committer::Outcome::kNothing) {
        if (auto marked = committer_.MarkIdle(); !marked) {
          outcome = Err(marked.error());
        }
      }
      if (outcome) {
        return *outcome;
      }
      Fail(outcome.error());
    }
    committer_.AbandonQueued(
        CommitOutcome::kUnknown,
        Error(ErrorCode::kTransportClosed, "the transport has failed; restart to recover"));
    return Committer::Outcome::kNothing;
  }

  bool RunCopier() {
    if (failed()) {
      return false;
    }
    const auto copied = copier_.Step();
    if (!copied && copied.error().code() != ErrorCode::kDiskFull) {
      Fail(copied.error());
    }
    return copied && *copied;
  }

  void Commit(std::unique_ptr<Committer::Pending> pending) {
    // After a failure it is queued as ever, and answered behind those before it.
    if (stopping_.load(std::memory_order_acquire)) {
      if (pending->callback) {
        pending->callback({.outcome = CommitOutcome::kUnknown,
                           .ranges = {},
                           .error = Error(ErrorCode::kTransportClosed, "the transport is closed")});
      }
      return;
    }
    Committer::Pending& epoch = *pending;
    table_.Append(epoch.content, [&] { committer_.Queue(std::move(pending)); });
  }

  Result<StreamId> CreateStream(const StreamDefinition& definition);
  Status ChangeStreams(const StreamChanges& changes);

  bool failed() const { return failed_.load(std::memory_order_acquire); }
  StreamTable& table() { return table_; }
  const Committer& committer() const { return committer_; }

 private:
  /// A commit of catalog$.
  struct CatalogChange {
    std::vector<StreamInfo> added;
    std::vector<StreamInfo> redefined;
    Mutex mutex;
    CondVar decided;
    std::optional<CommitResult> result MR_GUARDED_BY(mutex);

    bool is_decided() {
      MutexLock lock(mutex);
      return result.has_value();
    }
  };

  void StartChange(std::shared_ptr<CatalogChange> change, const EpochContent& content)
      MR_REQUIRES(create_mutex_);
  Status FinishChange() MR_REQUIRES(create_mutex_);

  /// On the committer's or the copier's thread, whichever sees an error first.
  void Fail(const Error& error) {
    if (!failed_.exchange(true) && options_.on_fatal) {
      options_.on_fatal(error);
    }
  }

  void CommitterLoop() {
    while (true) {
      const bool stopping = stopping_.load(std::memory_order_acquire);
      const Committer::Outcome outcome = RunRoundIfQueued();
      if (stopping && outcome != Committer::Outcome::kCommitted) {
        return;
      }
      if (outcome == Committer::Outcome::kNothing) {
        committer_.WaitForWork(kIdleWait);
      } else if (outcome == Committer::Outcome::kDiskFull) {
        committer_.Pause(kDiskFullRetry);
      }
    }
  }

  /// As RunRound, but marks only after a pause, so that a busy journal has no marks.
  Committer::Outcome RunRoundIfQueued() {
    if (!committer_.HasWork()) {
      committer_.WaitForWork(kIdleBeforeMark);
    }
    return RunRound();
  }

  void CopierLoop() {
    while (!stopping_.load(std::memory_order_acquire)) {
      if (!RunCopier()) {
        MutexLock lock(copier_mutex_);
        if (!copier_woken_) {
          copier_wakeup_.WaitFor(copier_mutex_, kCopierPeriod);
        }
        copier_woken_ = false;
      }
    }
  }

  void WakeCopier() {
    MutexLock lock(copier_mutex_);
    copier_woken_ = true;
    copier_wakeup_.NotifyAll();
  }

  const Options options_;
  const Clock& clock_;
  const std::unique_ptr<DataDirectory> directory_;
  SegmentStore segments_;
  DiskLoader loader_;
  StreamTable table_;
  Journal journal_;
  Committer committer_;
  Copier copier_;

  Mutex create_mutex_;
  uint32_t next_stream_ MR_GUARDED_BY(create_mutex_) = 1;
  /// Queued and not decided, because the disk is full.
  std::shared_ptr<CatalogChange> change_ MR_GUARDED_BY(create_mutex_);
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  Mutex copier_mutex_;
  CondVar copier_wakeup_;
  bool copier_woken_ MR_GUARDED_BY(copier_mutex_) = false;
  Thread committer_thread_;
  Thread copier_thread_;
};

namespace {

class EmbeddedEpochWriter final : public EpochCollector {
 public:
  using Sink = std::function<void(std::unique_ptr<Committer::Pending>)>;

  explicit EmbeddedEpochWriter(Sink sink) : sink_(std::move(sink)) {}

  void CommitAsync(CommitCallback callback) override {
    auto pending = std::make_unique<Committer::Pending>();
    for (AppendedFrame& frame : content_.frames) {
      frame.encoded = EncodeFramePayload(frame.frame);
      pending->bytes += frame.encoded.size();
    }
    if (!std::ranges::all_of(content_.frames, FitsIntoFrame)) {
      callback({.outcome = CommitOutcome::kAborted,
                .ranges = {},
                .error = Error(ErrorCode::kFrameTooLarge,
                               "a batch or a state frame is larger than 1 GiB when encoded")});
      return;
    }
    pending->content = std::move(content_);
    pending->callback = std::move(callback);
    sink_(std::move(pending));
  }

 private:
  Sink sink_;
};

}  // namespace

Result<StreamId> EmbeddedTransport::Impl::CreateStream(const StreamDefinition& definition) {
  MutexLock lock(create_mutex_);
  if (change_ != nullptr) {
    MR_TRY(FinishChange());
  }
  if (!table_.Find(definition.name)) {
    MR_TRY(CheckDefinition(definition));
    auto change = std::make_shared<CatalogChange>();
    change->added.push_back({.id = StreamId(next_stream_++), .definition = definition});
    StartChange(std::move(change), {});
    MR_TRY(FinishChange());
  }
  const auto existing = table_.Find(definition.name);
  if (!SameDefinition(existing->definition, definition)) {
    return Err(ErrorCode::kStreamExists,
               fmt::format("stream {} exists with another definition", definition.name));
  }
  return existing->id;
}

Status EmbeddedTransport::Impl::ChangeStreams(const StreamChanges& changes) {
  MutexLock lock(create_mutex_);
  if (change_ != nullptr) {
    MR_TRY(FinishChange());
  }
  StreamTable::PlannedChanges planned = table_.Plan(changes);
  auto change = std::make_shared<CatalogChange>();
  change->redefined = std::move(planned.definitions);
  StartChange(std::move(change), planned.content);
  return FinishChange();
}

void EmbeddedTransport::Impl::StartChange(std::shared_ptr<CatalogChange> change,
                                          const EpochContent& content) {
  change_ = change;
  EmbeddedEpochWriter writer([this](auto pending) { Commit(std::move(pending)); });
  for (const auto* infos : {&change->added, &change->redefined}) {
    for (const StreamInfo& info : *infos) {
      writer.AppendOpaque(kCatalogStream, PartitionId(0), FrameType::kState,
                          EncodeStreamInfo(info));
    }
  }
  for (const TrimUpdate& trim : content.trims) {
    writer.Trim(trim.stream, trim.partition, trim.begin);
  }
  for (const PositionUpdate& position : content.positions) {
    writer.SetPosition(position.reader, position.stream, position.partition, position.next);
  }
  for (const SourcePositionUpdate& position : content.source_positions) {
    writer.SetSourcePosition(position.source, position.split, position.value);
  }
  writer.CommitAsync([this, change = std::move(change)](const CommitResult& result) {
    if (result.outcome == CommitOutcome::kCommitted) {
      std::ranges::for_each(change->added, [&](const auto& info) { table_.AddStream(info); });
      std::ranges::for_each(change->redefined, [&](const auto& info) { table_.Redefine(info); });
    }
    MutexLock lock(change->mutex);
    change->result = result;
    change->decided.NotifyAll();
  });
}

Status EmbeddedTransport::Impl::FinishChange() {
  while (options_.manual && !change_->is_decided() &&
         RunRound() == Committer::Outcome::kCommitted) {
  }
  const std::shared_ptr<CatalogChange> change = change_;
  MutexLock lock(change->mutex);
  while (!options_.manual && !change->result) {
    change->decided.Wait(change->mutex);
  }
  if (!change->result) {
    return Err(ErrorCode::kDiskFull, "streams will be created and changed when there is room");
  }
  change_.reset();
  if (change->result->outcome != CommitOutcome::kCommitted) {
    return Err(*change->result->error);
  }
  return {};
}

namespace {

void LogRecovery(const std::string& path, const JournalState& state, size_t streams,
                 std::chrono::nanoseconds duration) {
  size_t frames = 0;
  for (const auto& [file, in_file] : state.frames) {
    frames += in_file.size();
  }
  uint64_t segment_bytes = 0;
  for (const auto& [segment, bytes] : state.segments) {
    segment_bytes += bytes;
  }
  MR_LOG(kStreamLog, kInfo, "data directory is recovered", {"path", path}, {"streams", streams},
         {"journal.files", state.frames.size() + state.retired.size()}, {"journal.frames", frames},
         {"segment.files", state.segments.size()}, {"segment.bytes", segment_bytes},
         {"event.duration", duration.count()});
}

}  // namespace

EmbeddedTransport::EmbeddedTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<EmbeddedTransport>> EmbeddedTransport::Open(FileSystem& files,
                                                                   const Clock& clock,
                                                                   const std::string& path,
                                                                   Options options) {
  const auto begun = clock.Monotonic();
  MR_ASSIGN(auto directory, DataDirectory::Open(files, path));
  JournalState state;
  if (!directory->fresh()) {
    MR_ASSIGN(state, ReadJournal(*directory));
  }
  auto impl = std::make_unique<Impl>(std::move(directory), clock, std::move(options), state.place);
  MR_TRY(impl->Recover(state));
  LogRecovery(path, state, impl->table().Streams().size(), clock.Monotonic() - begun);
  impl->Start();
  return std::unique_ptr<EmbeddedTransport>(new EmbeddedTransport(std::move(impl)));
}

EmbeddedTransport::~EmbeddedTransport() { impl_->Stop(); }

Result<StreamId> EmbeddedTransport::CreateStream(const StreamDefinition& definition) {
  return impl_->CreateStream(definition);
}

Status EmbeddedTransport::ChangeStreams(const StreamChanges& changes) {
  return impl_->ChangeStreams(changes);
}

std::optional<StreamInfo> EmbeddedTransport::FindStream(std::string_view name) {
  return impl_->table().Find(name);
}

std::vector<StreamInfo> EmbeddedTransport::Streams() {
  return WithoutDropped(impl_->table().Streams());
}

PartitionInfo EmbeddedTransport::Describe(StreamId stream, PartitionId partition) {
  return impl_->table().Describe(stream, partition);
}

Offset EmbeddedTransport::OffsetBehind(StreamId stream, PartitionId partition, size_t bytes,
                                       Offset end) {
  return impl_->table().OffsetBehind(stream, partition, bytes, end);
}

std::unique_ptr<EpochWriter> EmbeddedTransport::BeginEpoch() {
  return std::make_unique<EmbeddedEpochWriter>(
      [this](auto pending) { impl_->Commit(std::move(pending)); });
}

std::unique_ptr<Cursor> EmbeddedTransport::OpenCursor(StreamId stream, PartitionId partition,
                                                      Offset from, Visibility visibility) {
  return impl_->table().OpenCursor(stream, partition, from, visibility);
}

Transport::Positions EmbeddedTransport::ReaderPositions(std::string_view reader) {
  return impl_->table().ReaderPositions(reader);
}

Transport::SourcePositions EmbeddedTransport::ReadSourcePositions(std::string_view source) {
  return impl_->table().SourcePositionsOf(source);
}

SubscriptionId EmbeddedTransport::Subscribe(StreamId stream, Visibility visibility,
                                            std::function<void()> notify) {
  return impl_->table().Subscribe(stream, visibility, std::move(notify));
}

void EmbeddedTransport::Unsubscribe(SubscriptionId subscription) {
  impl_->table().Unsubscribe(subscription);
}

bool EmbeddedTransport::disk_full() const { return impl_->committer().disk_full(); }

bool EmbeddedTransport::RunRound() { return impl_->RunRound() == Committer::Outcome::kCommitted; }

bool EmbeddedTransport::RunCopier() { return impl_->RunCopier(); }

uint64_t EmbeddedTransport::rounds() const { return impl_->committer().rounds(); }

bool EmbeddedTransport::failed() const { return impl_->failed(); }

}  // namespace millrace
