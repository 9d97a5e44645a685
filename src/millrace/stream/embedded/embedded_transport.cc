#include "millrace/stream/embedded/embedded_transport.h"

#include <chrono>

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
#include "millrace/stream/stream_table.h"

namespace millrace {

namespace {

constexpr std::chrono::milliseconds kIdleBeforeMark{50};
constexpr std::chrono::milliseconds kDiskFullRetry{100};
constexpr std::chrono::milliseconds kCopierPeriod{200};

/// Reads frames back from journal files and segments.
class DiskLoader final : public FrameLoader {
 public:
  DiskLoader(const DataDirectory& directory, SegmentStore& segments)
      : directory_(directory), segments_(segments) {}

  Result<StreamFrame> Load(const StreamInfo& stream, const FrameLocation& location) override {
    MR_ASSIGN(auto bytes, ReadBytes(stream, location));
    auto frame = DecodeFrame(stream.definition, std::move(bytes), directory_.identity());
    if (!frame) {
      return Err(frame.error().WithContext(fmt::format(
          "{} at byte {}", PathOf(stream, location), location.position)));
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
        table_(&loader_, options_.cache_bytes_max),
        journal_(*directory_, options_.journal_file_bytes, NewIncarnation(), place),
        committer_(*directory_, table_, segments_, journal_,
                   {.direct_bytes_min = options_.direct_bytes_min,
                    .segment_bytes = options_.segment_bytes,
                    .round_bytes_max = options_.round_bytes_max}),
        copier_(*directory_, table_, segments_, committer_, options_.segment_bytes) {}

  static uint64_t NewIncarnation() {
    uint64_t incarnation = 0;
    FillRandomBytes(&incarnation, sizeof(incarnation));
    return incarnation;
  }

  Status Recover(const JournalState& state) {
    MR_TRY(RestoreStreams(*directory_, state, table_, segments_, committer_));
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
    committer_.Wake();
    committer_thread_.Join();
    {
      MutexLock lock(copier_mutex_);
      copier_wakeup_.NotifyAll();
    }
    copier_thread_.Join();
    committer_.AbandonQueued(CommitOutcome::kUnknown,
                             Error(ErrorCode::kTransportClosed, "the transport is closing"));
  }

  /// One round. Returns what it did; after a failure nothing, and the transport is failed.
  Committer::Outcome RunRound() {
    if (failed()) {
      return Committer::Outcome::kNothing;
    }
    auto outcome = committer_.RunRound();
    if (outcome && *outcome == Committer::Outcome::kNothing) {
      if (auto marked = committer_.MarkIdle(); !marked) {
        outcome = Err(marked.error());
      }
    }
    if (!outcome) {
      Fail(outcome.error());
      return Committer::Outcome::kNothing;
    }
    return *outcome;
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
    if (failed() || stopping_.load(std::memory_order_acquire)) {
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

  bool failed() const { return failed_.load(std::memory_order_acquire); }
  StreamTable& table() { return table_; }
  const Committer& committer() const { return committer_; }

 private:
  void Fail(const Error& error) {
    if (failed_.exchange(true)) {
      return;
    }
    if (options_.on_fatal) {
      options_.on_fatal(error);
    }
    committer_.AbandonQueued(CommitOutcome::kUnknown, error);
  }

  void CommitterLoop() {
    while (true) {
      const bool stopping = stopping_.load(std::memory_order_acquire);
      switch (RunRoundIfQueued()) {
        case Committer::Outcome::kCommitted:
          break;
        case Committer::Outcome::kNothing:
          if (stopping) {
            return;
          }
          committer_.WaitForWork(std::chrono::hours(1));
          break;
        case Committer::Outcome::kDiskFull:
          if (stopping) {
            return;
          }
          committer_.Pause(kDiskFullRetry);
          break;
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
        copier_wakeup_.WaitFor(copier_mutex_, kCopierPeriod);
      }
    }
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
  uint32_t next_stream_ = 1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
  Mutex copier_mutex_;
  CondVar copier_wakeup_;
  Thread committer_thread_;
  Thread copier_thread_;
};

namespace {

class EmbeddedEpochWriter final : public EpochWriter {
 public:
  using Sink = std::function<void(std::unique_ptr<Committer::Pending>)>;

  explicit EmbeddedEpochWriter(Sink sink)
      : sink_(std::move(sink)), pending_(std::make_unique<Committer::Pending>()) {}

  void Append(StreamId stream, PartitionId partition, BatchPtr batch,
              const EventTimes& times) override {
    const auto rows = static_cast<uint32_t>(batch->rows());
    MR_CHECK(rows > 0, "append of no rows");
    Add(stream, partition,
        {.type = FrameType::kData,
         .begin = {},
         .count = rows,
         .batch = std::move(batch),
         .payload = nullptr,
         .times = times});
  }

  void AppendOpaque(StreamId stream, PartitionId partition, FrameType type,
                    Bytes payload) override {
    Add(stream, partition,
        {.type = type,
         .begin = {},
         .count = 1,
         .batch = nullptr,
         .payload = Buffer::Own(std::move(payload)),
         .times = {}});
  }

  void SetPosition(std::string_view reader, StreamId stream, PartitionId partition,
                   Offset next) override {
    pending_->content.positions.push_back({std::string(reader), stream, partition, next});
  }

  void SetSourcePosition(std::string_view source, std::string_view split,
                         std::string value) override {
    pending_->content.source_positions.push_back(
        {std::string(source), std::string(split), std::move(value)});
  }

  void Trim(StreamId stream, PartitionId partition, Offset begin) override {
    pending_->content.trims.push_back({stream, partition, begin});
  }

  void CommitAsync(CommitCallback callback) override {
    pending_->callback = std::move(callback);
    sink_(std::move(pending_));
  }

 private:
  void Add(StreamId stream, PartitionId partition, StreamFrame frame) {
    AppendedFrame appended{.stream = stream,
                           .partition = partition,
                           .frame = std::move(frame),
                           .encoded = {}};
    appended.encoded = EncodeFramePayload(appended.frame);
    pending_->bytes += appended.encoded.size();
    pending_->content.frames.push_back(std::move(appended));
  }

  Sink sink_;
  std::unique_ptr<Committer::Pending> pending_;
};

}  // namespace

Result<StreamId> EmbeddedTransport::Impl::CreateStream(const StreamDefinition& definition) {
  MutexLock lock(create_mutex_);
  if (const auto existing = table_.Find(definition.name)) {
    const StreamDefinition& old = existing->definition;
    const bool same_schema = (old.schema == nullptr) == (definition.schema == nullptr) &&
                             (old.schema == nullptr || *old.schema == *definition.schema);
    if (!same_schema || old.partitions != definition.partitions ||
        old.properties != definition.properties) {
      return Err(ErrorCode::kStreamExists,
                 fmt::format("stream {} exists with another definition", definition.name));
    }
    return existing->id;
  }
  const StreamInfo info{.id = StreamId(next_stream_), .definition = definition};
  Mutex mutex;
  CondVar decided;
  std::optional<CommitResult> result;
  EmbeddedEpochWriter writer([this](auto pending) { Commit(std::move(pending)); });
  writer.AppendOpaque(kCatalogStream, PartitionId(0), FrameType::kState, EncodeStreamInfo(info));
  writer.CommitAsync([&](const CommitResult& outcome) {
    MutexLock result_lock(mutex);
    result = outcome;
    decided.NotifyAll();
  });
  if (options_.manual) {
    RunRound();
  }
  MutexLock result_lock(mutex);
  while (!result && !options_.manual) {
    decided.Wait(mutex);
  }
  if (!result || result->outcome != CommitOutcome::kCommitted) {
    return Err(result ? *result->error
                      : Error(ErrorCode::kDiskFull, "no room to create a stream"));
  }
  ++next_stream_;
  table_.AddStream(info);
  return info.id;
}

EmbeddedTransport::EmbeddedTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<EmbeddedTransport>> EmbeddedTransport::Open(FileSystem& files,
                                                                   const Clock& clock,
                                                                   const std::string& path,
                                                                   Options options) {
  MR_ASSIGN(auto directory, DataDirectory::Open(files, path));
  JournalState state;
  if (!directory->fresh()) {
    MR_ASSIGN(state, ReadJournal(*directory));
  }
  auto impl = std::make_unique<Impl>(std::move(directory), clock, std::move(options), state.place);
  MR_TRY(impl->Recover(state));
  impl->Start();
  return std::unique_ptr<EmbeddedTransport>(new EmbeddedTransport(std::move(impl)));
}

EmbeddedTransport::~EmbeddedTransport() { impl_->Stop(); }

Result<StreamId> EmbeddedTransport::CreateStream(const StreamDefinition& definition) {
  return impl_->CreateStream(definition);
}

std::optional<StreamInfo> EmbeddedTransport::FindStream(std::string_view name) {
  return impl_->table().Find(name);
}

std::vector<StreamInfo> EmbeddedTransport::Streams() { return impl_->table().Streams(); }

PartitionInfo EmbeddedTransport::Describe(StreamId stream, PartitionId partition) {
  return impl_->table().Describe(stream, partition);
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

bool EmbeddedTransport::RunRound() {
  return impl_->RunRound() == Committer::Outcome::kCommitted;
}

bool EmbeddedTransport::RunCopier() { return impl_->RunCopier(); }

uint64_t EmbeddedTransport::rounds() const { return impl_->committer().rounds(); }

bool EmbeddedTransport::failed() const { return impl_->failed(); }

}  // namespace millrace
