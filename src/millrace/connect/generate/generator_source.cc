#include "millrace/connect/generate/generator_source.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/int128.h"

namespace millrace {

namespace {

using std::chrono::nanoseconds;
constexpr std::chrono::seconds kFullPause{1};
constexpr std::chrono::milliseconds kPromisePeriod{200};
/// Blocks a second at most, where a rate is given.
constexpr uint64_t kBlocksPerSecond = 100;
constexpr uint8_t kPositionVersion = 1;
/// The names, among the source's positions, of the next row and of the fact that there is none.
constexpr std::string_view kRowsName = "rows";
constexpr std::string_view kEndName = "end";

uint64_t BlockRows(uint64_t rate, uint64_t rows_max) {
  return rate == 0 ? rows_max : std::clamp<uint64_t>(rate / kBlocksPerSecond, 1, rows_max);
}

}  // namespace

GeneratorSource::GeneratorSource(Plan plan, const SourceContext& context, Limits limits)
    : plan_(std::move(plan)),
      context_(context),
      ingestor_(context.ingestor),
      limits_(limits),
      name_(fmt::format("{}:{}", plan_.connector, context.ingestor.table().name)),
      block_rows_(BlockRows(plan_.rate, limits.block_rows_max)),
      commits_(context.wake) {}

Result<std::unique_ptr<GeneratorSource>> GeneratorSource::Open(Plan plan,
                                                               const SourceContext& context,
                                                               Limits limits) {
  std::unique_ptr<GeneratorSource> source(new GeneratorSource(std::move(plan), context, limits));
  MR_TRY(source->Restore());
  source->PublishStatus(false);
  return source;
}

Status GeneratorSource::Restore() {
  const auto positions = context_.transport.ReadSourcePositions(name_);
  ended_ = positions.contains(kEndName);
  next_ = 0;
  if (const auto stored = positions.find(kRowsName); stored != positions.end()) {
    ByteReader reader(AsBytes(stored->second));
    MR_ASSIGN(const auto version, reader.Get<uint8_t>());
    if (version != kPositionVersion) {
      return Err(ErrorCode::kFormatTooNew, fmt::format("row position of version {}", version));
    }
    MR_ASSIGN(next_, reader.Get<uint64_t>());
    MR_ASSIGN(start_, reader.Get<Micros>());
  } else if (rows_ == nullptr) {
    start_ = context_.clock.WallMicros();
  }
  if (ended_ && (!plan_.rows || *plan_.rows > next_)) {
    return std::unexpected(
        Error(ErrorCode::kSourceChanged,
              fmt::format("the input of table {} has ended after {} rows: its windows are closed",
                          ingestor_.table().name, next_))
            .WithHint("make more rows with a table of another name"));
  }
  rows_ = plan_.make(start_);
  rate_begin_row_ = next_;
  rate_begin_ = context_.clock.Monotonic();
  active_ = false;
  return {};
}

std::string GeneratorSource::Position(uint64_t next) const {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(kPositionVersion);
  writer.Put(next);
  writer.Put(start_);
  return std::string(AsText(bytes));
}

Result<nanoseconds> GeneratorSource::Step() {
  auto next = TakeStep();
  if (!next && IsFull(next.error())) {
    next = kFullPause;
  }
  PublishStatus(next && next->count() > 0);
  return next;
}

Result<nanoseconds> GeneratorSource::TakeStep() {
  const auto next = commits_.Check(limits_.commits_in_flight_max);
  if (!next) {
    return Err(next.error().WithContext(fmt::format("source of table {}", ingestor_.table().name)));
  }
  if (*next == CommitsInFlight::Next::kRewind) {
    MR_TRY(Restore());
  }
  if (*next == CommitsInFlight::Next::kWait || ended_) {
    return kUntilWoken;
  }
  if (!active_) {
    MR_TRY(CommitControl(ControlFrame::Kind::kActive, kMicrosMin));
    active_ = true;
  }
  if (plan_.rows && next_ >= *plan_.rows) {
    return CommitEnd();
  }
  const uint64_t end = BlockEnd(next_);
  const nanoseconds wait = TimeUntil(end - 1);
  return wait.count() > 0 ? wait : CommitBlock(end);
}

/// Behind the last row of the row's block.
uint64_t GeneratorSource::BlockEnd(uint64_t row) const {
  const uint64_t end = (row / block_rows_ + 1) * block_rows_;
  return plan_.rows ? std::min(end, *plan_.rows) : end;
}

nanoseconds GeneratorSource::TimeUntil(uint64_t row) const {
  if (plan_.rate == 0) {
    return nanoseconds(0);
  }
  const Uint128 offset = Uint128{row - rate_begin_row_} * 1'000'000'000 / plan_.rate;
  return rate_begin_ + nanoseconds(static_cast<int64_t>(offset)) - context_.clock.Monotonic();
}

Result<nanoseconds> GeneratorSource::CommitBlock(uint64_t end) {
  const TableDefinition& table = ingestor_.table();
  DecodedRecords records;
  records.batch = rows_->Make(next_, end - next_);
  records.records = end - next_;
  auto decoded = ingestor_.Complete(nullptr, std::move(records));
  for (RecordError& error : decoded.errors) {
    error.message += fmt::format(" (row {})", next_ + error.record);
  }
  StreamIngestor::Placement placement;
  if (table.partition_by.empty()) {
    placement.partition =
        PartitionId(static_cast<uint32_t>(next_ / block_rows_ % table.partitions));
  }
  const auto extend = [&](EpochWriter& writer, const std::vector<PartitionId>&) {
    writer.SetSourcePosition(name_, kRowsName, Position(end));
  };
  if (auto taken = ingestor_.Commit(decoded, placement, extend, commits_.Begin()); !taken) {
    commits_.Cancel();
    return Err(taken.error());
  }
  records_count_ += decoded.accepted;
  errors_count_ += decoded.refused() + decoded.lost;
  next_ = end;
  // Rows that partition_by spreads may leave a partition without any for long.
  const nanoseconds now = context_.clock.Monotonic();
  if (!table.partition_by.empty() && now >= next_promise_) {
    next_promise_ = now + kPromisePeriod;
    MR_TRY(CommitControl(ControlFrame::Kind::kWatermark, rows_->EarliestFrom(next_)));
  }
  return nanoseconds(0);
}

Result<nanoseconds> GeneratorSource::CommitEnd() {
  const TableDefinition& table = ingestor_.table();
  std::vector<StreamIngestor::PartitionChange> changes;
  changes.reserve(table.partitions);
  for (uint32_t p = 0; table.event_time && p < table.partitions; ++p) {
    changes.push_back({.partition = PartitionId(p), .kind = ControlFrame::Kind::kEnd});
  }
  const auto extend = [this](EpochWriter& writer, const std::vector<PartitionId>&) {
    writer.SetSourcePosition(name_, kEndName, "1");
  };
  const auto committed = ingestor_.Control(changes, extend, commits_.Begin());
  if (!committed) {
    commits_.Cancel();
    return Err(committed.error());
  }
  ended_ = true;
  return nanoseconds(0);
}

Status GeneratorSource::CommitControl(ControlFrame::Kind kind, Micros event_time) {
  const TableDefinition& table = ingestor_.table();
  if (!table.event_time || (kind == ControlFrame::Kind::kWatermark && event_time == kMicrosMin)) {
    return {};
  }
  std::vector<StreamIngestor::PartitionChange> changes;
  changes.reserve(table.partitions);
  for (uint32_t p = 0; p < table.partitions; ++p) {
    changes.push_back({.partition = PartitionId(p), .kind = kind, .max_event_time = event_time});
  }
  const auto committed = ingestor_.Control(changes, nullptr, commits_.Begin());
  if (!committed || !*committed) {
    commits_.Cancel();
  }
  return committed ? Status() : Err(committed.error());
}

SourceStatus GeneratorSource::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void GeneratorSource::PublishStatus(bool waiting) {
  using State = SourceStatus::State;
  MutexLock lock(mutex_);
  status_ = {.state = ended_    ? State::kEnded
                      : waiting ? State::kWaiting
                                : State::kRunning,
             .splits = 1,
             .splits_finished = ended_ ? uint64_t{1} : 0,
             .records = records_count_,
             .errors = errors_count_};
}

}  // namespace millrace
