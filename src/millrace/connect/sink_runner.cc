#include "millrace/connect/sink_runner.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "millrace/connect/logger.h"
#include "millrace/connect/stepped_thread.h"

namespace millrace {

namespace {

using std::chrono::nanoseconds;
constexpr nanoseconds kUntilWoken = SteppedThread::kUntilWoken;
constexpr std::chrono::milliseconds kRetryPauseMin{500};
constexpr std::chrono::seconds kRetryPauseMax{30};

/// Whether opening the sink again may help. A full disk, a missing right or a failed sync may be
/// mended meanwhile.
bool IsPermanent(ErrorCode code) {
  switch (code) {
    case ErrorCode::kSinkMismatch:
    case ErrorCode::kSinkRetraction:
    case ErrorCode::kOffsetOutOfRange:
    case ErrorCode::kCorruption:
    case ErrorCode::kFormatTooNew:
    case ErrorCode::kNotImplemented:
      return true;
    default:
      return false;
  }
}

/// The rows of `batch` from number `begin` on.
BatchPtr RowsFrom(const BatchPtr& batch, size_t begin) {
  if (begin == 0) {
    return batch;
  }
  std::vector<uint32_t> rows(batch->rows() - begin);
  std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(begin));
  return GatherRows(*batch, rows);
}

}  // namespace

std::string ReaderOfSink(std::string_view table) { return fmt::format("sink:{}", table); }

SinkRunner::SinkRunner(std::string table, StreamInfo stream, MakeSink make, Transport& transport,
                       const Clock& clock, Options options, std::function<void()> wake)
    : table_(std::move(table)),
      reader_(ReaderOfSink(table_)),
      stream_(std::move(stream)),
      make_(std::move(make)),
      transport_(transport),
      clock_(clock),
      options_(options),
      commits_(wake),
      subscription_(transport.Subscribe(stream_.id, Visibility::kDurable, std::move(wake))) {}

SinkRunner::~SinkRunner() { transport_.Unsubscribe(subscription_); }

Result<nanoseconds> SinkRunner::Step() {
  auto next = TakeStep();
  PublishStatus();
  return next;
}

Result<nanoseconds> SinkRunner::TakeStep() {
  const nanoseconds now = clock_.Monotonic();
  const auto commits = commits_.Check(1);
  if (!commits) {
    return Err(commits.error().WithContext(fmt::format("sink of table {}", table_)));
  }
  const bool may_commit = *commits != CommitsInFlight::Next::kWait;
  positions_due_ = positions_due_ || *commits == CommitsInFlight::Next::kRewind;
  if (sink_ == nullptr) {
    if (now < retry_at_) {
      return retry_at_ - now;
    }
    if (auto opened = Open(); !opened) {
      return Failed(opened.error());
    }
  }
  if (!registered_ && !(may_commit && Register())) {
    return kUntilWoken;
  }
  if (positions_due_ && may_commit) {
    CommitPositions();
  }
  const auto any = ReadSome();
  if (!any) {
    return Failed(any.error());
  }
  if (FlushIsDue(clock_.Monotonic())) {
    if (auto flushed = Flush(); !flushed) {
      return Failed(flushed.error());
    }
  }
  using State = SinkStatus::State;
  // A target that has failed is not well again before it has taken something.
  const bool is_tried = pause_.count() > 0 && unflushed_since_;
  next_status_.state = is_tried ? State::kRetrying : *any ? State::kRunning : State::kWaiting;
  if (*any) {
    return nanoseconds(0);
  }
  return unflushed_since_
             ? std::max(*unflushed_since_ + options_.flush_interval - now, nanoseconds(1))
             : kUntilWoken;
}

Status SinkRunner::Open() {
  MR_ASSIGN(auto sink, make_());
  MR_ASSIGN(const auto positions, sink->Open());
  MR_TRY(TakePositions(positions));
  sink_ = std::move(sink);
  rows_unflushed_ = 0;
  unflushed_since_.reset();
  ended_ = false;
  return {};
}

Status SinkRunner::TakePositions(const std::optional<Sink::Positions>& positions) {
  const Transport::Positions committed = transport_.ReaderPositions(reader_);
  written_.clear();
  cursors_.clear();
  for (uint32_t p = 0; p < stream_.definition.partitions; ++p) {
    const PartitionInfo info = transport_.Describe(stream_.id, PartitionId(p));
    Offset at = info.begin;
    if (positions) {
      const auto own = positions->find(p);
      at = own == positions->end() ? at : own->second;
    } else if (const auto known = committed.find({stream_.id, PartitionId(p)});
               known != committed.end()) {
      at = known->second;
    }
    // What is in the target was read from a stream that knows of its reader, and not beyond its
    // end.
    const bool is_foreign = at > info.begin && positions && committed.empty();
    if (is_foreign || at > info.durable_end) {
      return std::unexpected(
          Error(ErrorCode::kSinkMismatch,
                fmt::format("the target of table {} holds rows that this stream has not given: up "
                            "to offset {} of partition {}",
                            table_, at, p))
              .WithHint("give the sink another target, or empty this one"));
    }
    written_.push_back(at);
    cursors_.push_back(transport_.OpenCursor(stream_.id, PartitionId(p), at, Visibility::kDurable));
  }
  flushed_ = written_;
  registered_ = !committed.empty();
  return {};
}

bool SinkRunner::Register() {
  if (!transport_.ReaderPositions(reader_).empty()) {
    registered_ = true;
    return true;
  }
  CommitPositions();
  registered_ = !transport_.ReaderPositions(reader_).empty();  // Some decide at once.
  return registered_;
}

Result<bool> SinkRunner::ReadSome() {
  bool any = false;
  for (uint32_t p = 0; p < cursors_.size(); ++p) {
    MR_ASSIGN(const auto frames, cursors_[p]->Poll(options_.poll_bytes));
    for (const StreamFrame& frame : frames) {
      MR_TRY(WriteFrame(p, frame));
      any = true;
    }
    if (sink_->unflushed_bytes() >= options_.flush_bytes) {
      break;
    }
  }
  return any;
}

Status SinkRunner::WriteFrame(uint32_t partition, const StreamFrame& frame) {
  Offset& next = written_[partition];
  if (frame.end() <= next) {
    return {};
  }
  SinkRows rows{.partition = PartitionId(partition), .begin = next, .end = frame.end(), .rows = {}};
  if (frame.batch != nullptr) {
    rows.rows =
        RowsFrom(frame.batch, static_cast<size_t>(std::max<int64_t>(next - frame.begin, 0)));
    rows_unflushed_ += rows.rows->rows();
  } else if (frame.type == FrameType::kControl) {
    MR_ASSIGN(const ControlFrame control, ControlFrame::Decode(frame.payload->bytes()));
    ended_ = ended_ || control.kind == ControlFrame::Kind::kEnd;
  }
  MR_TRY(sink_->Write(rows));
  next = frame.end();
  if (!unflushed_since_) {
    unflushed_since_ = clock_.Monotonic();
  }
  return {};
}

bool SinkRunner::FlushIsDue(nanoseconds now) const {
  return unflushed_since_ && (ended_ || now - *unflushed_since_ >= options_.flush_interval ||
                              sink_->unflushed_bytes() >= options_.flush_bytes);
}

Status SinkRunner::Flush() {
  const nanoseconds begun = clock_.Monotonic();
  MR_TRY(sink_->Flush());
  options_.metrics.flush_seconds.Observe(
      std::chrono::duration<double>(clock_.Monotonic() - begun).count());
  options_.metrics.flushes.Add();
  options_.metrics.rows.Add(static_cast<double>(rows_unflushed_));
  next_status_.rows += rows_unflushed_;
  ++next_status_.flushes;
  next_status_.error.reset();
  flushed_ = written_;
  rows_unflushed_ = 0;
  unflushed_since_.reset();
  ended_ = false;
  pause_ = nanoseconds(0);
  positions_due_ = true;
  const auto commits = commits_.Check(1);
  if (commits && *commits == CommitsInFlight::Next::kGo) {
    CommitPositions();
  }
  return {};
}

void SinkRunner::CommitPositions() {
  auto writer = transport_.BeginEpoch();
  for (uint32_t p = 0; p < flushed_.size(); ++p) {
    writer->SetPosition(reader_, stream_.id, PartitionId(p), flushed_[p]);
  }
  positions_due_ = false;
  writer->CommitAsync(commits_.Begin());
}

Result<nanoseconds> SinkRunner::Failed(const Error& error) {
  const Error failure = error.WithContext(fmt::format("sink of table {}", table_));
  next_status_.error = failure;
  if (IsPermanent(error.code())) {
    return Err(failure);
  }
  sink_.reset();
  cursors_.clear();
  ++next_status_.failures;
  options_.metrics.failures.Add();
  if (pause_.count() == 0) {
    MR_LOG_ERROR(kConnectLog, kWarning, "sink's target has failed; trying again", failure);
  }
  pause_ = std::clamp<nanoseconds>(pause_ * 2, kRetryPauseMin, kRetryPauseMax);
  retry_at_ = clock_.Monotonic() + pause_;
  next_status_.state = SinkStatus::State::kRetrying;
  return pause_;
}

void SinkRunner::Finish() {
  if (sink_ != nullptr && registered_ && unflushed_since_) {
    if (auto flushed = Flush(); !flushed) {
      MR_LOG_ERROR(kConnectLog, kWarning, "sink could not flush at its end",
                   flushed.error().WithContext(fmt::format("sink of table {}", table_)));
    }
  }
  PublishStatus();
}

SinkStatus SinkRunner::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void SinkRunner::PublishStatus() {
  next_status_.rows_behind = 0;
  for (uint32_t p = 0; p < flushed_.size(); ++p) {
    const PartitionInfo info = transport_.Describe(stream_.id, PartitionId(p));
    next_status_.rows_behind += static_cast<uint64_t>(info.durable_end - flushed_[p]);
  }
  options_.metrics.rows_behind.Set(static_cast<double>(next_status_.rows_behind));
  MutexLock lock(mutex_);
  status_ = next_status_;
}

}  // namespace millrace
