#include "millrace/connect/file/file_source.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/glob.h"

namespace millrace {

namespace {

using std::chrono::nanoseconds;
constexpr std::chrono::seconds kFullPause{1};
constexpr std::chrono::milliseconds kRetryPauseMin{500};
constexpr std::chrono::seconds kRetryPauseMax{30};
/// The name, among the source's positions, of the fact that a bounded input has ended.
constexpr std::string_view kEndName = "end";

std::string Resolve(const std::string& path, const std::string& project_dir) {
  return path.starts_with('/') || project_dir.empty() ? path : JoinPath(project_dir, path);
}

std::string SourceName(const StreamIngestor& ingestor) {
  return fmt::format("file:{}", ingestor.table().name);
}

DecodedRecords RefusedAsLong(const RecordBlock& block, std::string_view beginning) {
  constexpr ErrorCode kCode = ErrorCode::kRecordTooLarge;
  DecodedRecords refused{.batch = nullptr, .errors = {}, .records = 1, .originals = {}};
  refused.errors.push_back(
      {.record = 0,
       .code = kCode,
       .message = fmt::format("{}: {} bytes", Describe(kCode).meaning, block.long_record->bytes),
       .original = beginning});
  return refused;
}

}  // namespace

FileSource::FileSource(const FileOptions& options, const SourceContext& context, Limits limits,
                       std::vector<std::unique_ptr<RecordDecoder>> decoders)
    : options_(options),
      context_(context),
      ingestor_(context.ingestor),
      limits_(limits),
      name_(SourceName(context.ingestor)),
      decoders_(context.ingestor, std::move(decoders)),
      splits_(context.files, Resolve(options.path, context.project_dir), options.mode,
              context.ingestor.table().partitions, MakeFileCutter(options), options.has_header()),
      commits_(context.wake) {}

Result<std::unique_ptr<FileSource>> FileSource::Open(const FileOptions& options,
                                                     const SourceContext& context, Limits limits) {
  std::vector<std::unique_ptr<RecordDecoder>> decoders;
  for (size_t i = 0; i <= limits.decoder_threads; ++i) {
    MR_ASSIGN(decoders.emplace_back(), MakeFileDecoder(options, context.ingestor.declared_schema(),
                                                       context.ingestor.options().json));
  }
  std::unique_ptr<FileSource> source(new FileSource(options, context, limits, std::move(decoders)));
  MR_TRY(source->Restore());
  if (source->splits_.splits().empty() && !source->ended_) {
    MR_TRY(Check(options, context.project_dir, context.files));
  }
  source->PublishStatus();
  return source;
}

Status FileSource::Check(const FileOptions& options, const std::string& project_dir,
                         FileSystem& files) {
  const std::string pattern = Resolve(options.path, project_dir);
  MR_ASSIGN(const auto paths, ListMatching(files, pattern, SplitSet::kSplitsMax));
  if (paths.empty() && options.mode == FileMode::kBounded) {
    return std::unexpected(
        Error(ErrorCode::kSourceUnavailable, fmt::format("no file matches {}", pattern))
            .WithHint("mode = 'follow' waits for files to come"));
  }
  if (!IsGlob(pattern)) {
    for (const std::string& path : paths) {
      MR_TRY(InputFile::Open(files, path));
    }
  }
  return {};
}

Status FileSource::Restore() {
  auto positions = context_.transport.ReadSourcePositions(name_);
  ended_ = positions.erase(std::string(kEndName)) > 0;
  if (ended_ && options_.mode == FileMode::kFollow) {
    return std::unexpected(
        Error(ErrorCode::kSourceChanged,
              fmt::format("the input of table {} has ended: its windows are closed",
                          ingestor_.table().name))
            .WithHint("follow the files with a table of another name"));
  }
  MR_TRY(splits_.Restore(positions));
  next_discovery_ = nanoseconds(0);
  activation_due_ = true;
  pending_.reset();
  return {};
}

Result<nanoseconds> FileSource::Step() {
  auto next = TakeStep();
  if (!next && IsFull(next.error())) {
    next = kFullPause;
  }
  PublishStatus();
  return next;
}

Result<nanoseconds> FileSource::TakeStep() {
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
  if (context_.transport.disk_full()) {
    return kFullPause;
  }
  if (pending_) {
    return CommitPending();
  }
  const nanoseconds now = context_.clock.Monotonic();
  if (now >= next_discovery_) {
    MR_TRY(Discover(now));
    settling_due_ = MarkIdle(now) || settling_due_;
  }
  if (activation_due_) {
    MR_TRY(CommitChanges(watermarks().Activations(), nullptr));
    activation_due_ = false;
  }
  if (settling_due_) {
    MR_TRY(SettleWatermarks());
    settling_due_ = false;
  }
  FileSplit* const split = FurthestBehind(now);
  resting_ = split == nullptr;
  return split != nullptr ? ReadBlock(*split, now) : Rest(now);
}

Status FileSource::Discover(nanoseconds now) {
  const bool bounded = options_.mode == FileMode::kBounded;
  next_discovery_ = bounded ? nanoseconds::max() : now + nanoseconds(options_.poll_interval);
  auto found = splits_.Discover(now);
  if (!found && found.error().code() == ErrorCode::kConfigInvalidValue) {
    return Err(found.error());
  }
  error_ = found ? std::nullopt : std::optional(found.error());
  if (!found && bounded) {
    next_discovery_ = now + kRetryPauseMax;
  }
  activation_due_ = activation_due_ || (found && *found);
  return {};
}

FileSplit* FileSource::FurthestBehind(nanoseconds now) const {
  FileSplit* furthest = nullptr;
  for (const auto& split : splits_.splits()) {
    if (split->readable(now) && (furthest == nullptr || split->position.max_event_time <
                                                            furthest->position.max_event_time)) {
      furthest = split.get();
    }
  }
  return furthest;
}

void FileSource::LimitReaders(const FileSplit& used) {
  size_t open = 0;
  for (const auto& split : splits_.splits()) {
    open += split->reader ? 1 : 0;
  }
  if (open <= limits_.readers_max) {
    return;
  }
  // The one that is furthest ahead is needed last. A file that lost its name cannot be opened
  // again.
  FileSplit* ahead = nullptr;
  for (const auto& split : splits_.splits()) {
    if (split->reader && split->present && split.get() != &used &&
        (ahead == nullptr || split->position.max_event_time >= ahead->position.max_event_time)) {
      ahead = split.get();
    }
  }
  if (ahead != nullptr) {
    ahead->Close();
  }
}

Result<nanoseconds> FileSource::ReadBlock(FileSplit& split, nanoseconds now) {
  if (!split.reader) {
    if (auto opened =
            splits_.Open(split, limits_.block_bytes, ingestor_.options().json.record_bytes_max);
        !opened) {
      return Failed(split, opened.error(), now);
    }
    LimitReaders(split);
  } else if (split.verify) {
    if (auto verified = splits_.Verify(split); !verified) {
      return Failed(split, verified.error(), now);
    }
  }
  ReadAhead(split);
  const BlockAhead next = std::move(split.ahead.front());
  split.ahead.pop_front();
  if (!next.block) {
    return Failed(split, next.block.error(), now);
  }
  const RecordBlock& block = *next.block;
  split.error.reset();
  split.pause = nanoseconds(0);
  if (next.decoding == nullptr && !block.long_record) {
    return block.at_end ? AtEnd(split, now) : nanoseconds(0);
  }
  split.idle = false;
  if (block.long_record && block.begin == 0 && options_.has_header()) {
    GiveUp(split, Error(ErrorCode::kRecordTooLarge,
                        fmt::format("the header has {} bytes", block.long_record->bytes)));
    return CommitPending();
  }
  Decode(split, next);
  return CommitPending();
}

/// Reads at least one block, and as many more as there is room for; nothing behind what is not just
/// records.
void FileSource::ReadAhead(FileSplit& split) {
  const bool grows = options_.mode == FileMode::kFollow && !split.reader->file().is_gzip();
  size_t room = decoders_.threads() > 0 ? limits_.blocks_ahead_max : 0;
  room -= std::min(room, BlocksAhead());
  while (split.ahead.empty() || (split.ahead.back().has_records() && room > 0)) {
    room -= std::min<size_t>(room, split.ahead.empty() ? 0 : 1);
    BlockAhead& read = split.ahead.emplace_back(split.reader->Next(/*take_rest=*/!grows));
    if (read.has_records()) {
      read.decoding = std::make_shared<BlockDecoding>();
      Prepare(split, *read.block, *read.decoding);
      decoders_.Add(read.decoding);
    }
  }
}

size_t FileSource::BlocksAhead() const {
  size_t blocks = 0;
  for (const auto& split : splits_.splits()) {
    blocks += split->ahead.size();
  }
  return blocks;
}

void FileSource::Prepare(FileSplit& split, const RecordBlock& block, BlockDecoding& decoding) {
  decoding.block = block.records;
  if (block.begin == 0) {
    decoders_.TakeHeader(block.records, decoding);
    split.header = decoding.header;
  } else {
    decoding.records = block.records;
    decoding.header = split.header;
  }
}

void FileSource::Decode(FileSplit& split, const BlockAhead& next) {
  const RecordBlock& block = *next.block;
  pending_.emplace();
  std::string_view text;
  if (block.long_record) {
    pending_->error_bytes = block.long_record->beginning;
    pending_->decoded = ingestor_.Complete(nullptr, RefusedAsLong(block, pending_->error_bytes));
  } else {
    text = AsText(block.records->bytes());
    decoders_.Finish(next.decoding);
    pending_->decoded = std::move(next.decoding->decoded);
  }
  Explain(split, block, pending_->decoded.errors);
  if (next.decoding != nullptr) {
    pending_->decoded.AddHeader(next.decoding->header);
  }
  pending_->placement.watermark_before = watermarks().Promise(split.position.partition);
  if (pending_->decoded.rows != nullptr) {
    split.position.max_event_time =
        std::max(split.position.max_event_time, ingestor_.TimesOf(*pending_->decoded.rows).max);
  }
  split.Advance(block.end, text);
  if (ingestor_.table().partition_by.empty()) {
    pending_->placement.partition = PartitionId(split.position.partition);
  }
  pending_->placement.watermark_limit = watermarks().Limit(split);
  pending_->split = split.name();
  pending_->position = split.position.Encode();
  bytes_read_ += block.end - block.begin;
  records_count_ += pending_->decoded.accepted;
  errors_count_ += pending_->decoded.refused() + pending_->decoded.lost;
}

/// Says in each error where the record stands, and shortens what is kept of a large one.
void FileSource::Explain(const FileSplit& split, const RecordBlock& block,
                         std::vector<RecordError>& errors) {
  for (RecordError& error : errors) {
    uint64_t at = block.begin;
    if (block.records != nullptr && error.original.data() != nullptr) {
      at += static_cast<uint64_t>(error.original.data() - AsText(block.records->bytes()).data());
    }
    if (error.original.size() > BlockReader::kBeginningBytes &&
        error.code == ErrorCode::kRecordTooLarge) {
      error.message += fmt::format(": {} bytes", error.original.size());
      error.original = error.original.substr(0, BlockReader::kBeginningBytes);
    }
    error.message += fmt::format(" ({} at byte {})", split.position.path, at);
  }
}

Result<nanoseconds> FileSource::AtEnd(FileSplit& split, nanoseconds now) {
  if (options_.mode == FileMode::kFollow && !split.reader->file().is_gzip()) {
    split.at_end = true;
    split.waits_since = now;
    return nanoseconds(0);
  }
  split.Close();
  split.position.finished = true;
  settling_due_ = true;
  pending_ = Pending{.decoded = {},
                     .placement = {},
                     .split = split.name(),
                     .position = split.position.Encode(),
                     .error_bytes = {}};
  return CommitPending();
}

/// Decides by the error whether to wait, to try again or to give the file up.
Result<nanoseconds> FileSource::Failed(FileSplit& split, const Error& error, nanoseconds now) {
  const bool follows = options_.mode == FileMode::kFollow;
  if (error.code() == ErrorCode::kSourceChanged && follows) {
    splits_.Detach(split, error);
    next_discovery_ = now;
    return nanoseconds(0);
  }
  if (error.code() == ErrorCode::kDecompressionFailed && follows && split.reader &&
      split.reader->file().ended_early() && now - split.changed_at < SplitSet::kCopyGrace) {
    split.retry = now + kRetryPauseMin;  // It may still be written.
    return nanoseconds(0);
  }
  if (error.code() == ErrorCode::kDecompressionFailed ||
      error.code() == ErrorCode::kSourceChanged) {
    GiveUp(split, error);
    return CommitPending();
  }
  split.Close();
  split.waits_since = split.error ? split.waits_since : now;
  split.error = error;
  split.pause = std::clamp<nanoseconds>(split.pause * 2, kRetryPauseMin, kRetryPauseMax);
  split.retry = now + split.pause;
  return nanoseconds(0);
}

/// Ends a split with an error row that has the beginning of what was left of it.
void FileSource::GiveUp(FileSplit& split, const Error& error) {
  pending_.emplace();
  if (split.reader) {
    pending_->error_bytes = split.reader->rest().substr(0, BlockReader::kBeginningBytes);
  }
  pending_->decoded.errors = {{.record = 0,
                               .code = error.code(),
                               .message = fmt::format("{} ({} at byte {})", error.message(),
                                                      split.position.path, split.position.offset),
                               .original = pending_->error_bytes}};
  split.Close();
  split.error = error;
  split.position.finished = true;
  settling_due_ = true;
  pending_->split = split.name();
  pending_->position = split.position.Encode();
  ++errors_count_;
}

Result<nanoseconds> FileSource::CommitPending() {
  const auto extend = [this](EpochWriter& writer, const std::vector<PartitionId>&) {
    writer.SetSourcePosition(name_, pending_->split, pending_->position);
    for (const uint64_t number : splits_.TakeForgotten()) {
      writer.SetSourcePosition(name_, FileSplit::NameOf(number), "");
    }
  };
  if (auto taken =
          ingestor_.Commit(pending_->decoded, pending_->placement, extend, commits_.Begin());
      !taken) {
    commits_.Cancel();
    return Err(taken.error());
  }
  pending_.reset();
  return nanoseconds(0);
}

Result<bool> FileSource::CommitChanges(const SplitWatermarks::Changes& changes,
                                       const StreamIngestor::Extend& extend) {
  if (!ingestor_.table().event_time && extend == nullptr) {
    return false;
  }
  const auto committed =
      ingestor_.Control(ingestor_.table().event_time ? changes : SplitWatermarks::Changes(), extend,
                        commits_.Begin());
  if (!committed || !*committed) {
    commits_.Cancel();
  }
  return committed;
}

SplitWatermarks FileSource::watermarks() const {
  const TableDefinition& table = ingestor_.table();
  return {splits_.splits(), table.partitions, !table.partition_by.empty()};
}

/// Takes followed files that had nothing to read for long for idle; returns whether there are new
/// ones.
bool FileSource::MarkIdle(nanoseconds now) {
  if (options_.mode != FileMode::kFollow) {
    return false;
  }
  bool any = false;
  for (const auto& split : splits_.splits()) {
    if (split->holds() && !split->readable(now) &&
        now - split->waits_since >= ingestor_.options().idle_timeout) {
      split->idle = true;
      any = true;
    }
  }
  return any;
}

/// Lets watermarks go as far as the splits allow; returns whether any moved.
Result<bool> FileSource::SettleWatermarks() {
  MR_ASSIGN(const bool raised, CommitChanges(watermarks().Raises(), nullptr));
  MR_ASSIGN(const bool idled, CommitChanges(watermarks().Idles(), nullptr));
  return raised || idled;
}

/// Nothing is to be read: settles what is left, ends a bounded input, or says when to look again.
Result<nanoseconds> FileSource::Rest(nanoseconds now) {
  const bool follows = options_.mode == FileMode::kFollow;
  MarkIdle(now);
  MR_ASSIGN(const bool settled, SettleWatermarks());
  if (settled) {
    return nanoseconds(0);
  }
  nanoseconds wake_at = next_discovery_;
  bool all_finished = !error_;
  for (const auto& split : splits_.splits()) {
    all_finished = all_finished && split->position.finished;
    if (split->holds() && follows) {
      wake_at = std::min(wake_at, split->waits_since + ingestor_.options().idle_timeout);
    }
    if (!split->position.finished && split->retry > now) {
      wake_at = std::min(wake_at, split->retry);
    }
  }
  if (!follows && all_finished) {
    const auto extend = [this](EpochWriter& writer, const std::vector<PartitionId>&) {
      writer.SetSourcePosition(name_, kEndName, "1");
    };
    MR_ASSIGN(ended_, CommitChanges(watermarks().Ends(), extend));
    return nanoseconds(0);
  }
  return wake_at == nanoseconds::max() ? kUntilWoken : std::max(wake_at - now, nanoseconds(1));
}

SourceStatus FileSource::status() const {
  MutexLock lock(mutex_);
  return status_;
}

void FileSource::PublishStatus() {
  using State = SourceStatus::State;
  SourceStatus status{
      .bytes_read = bytes_read_, .records = records_count_, .errors = errors_count_};
  status.state = ended_ ? State::kEnded : resting_ ? State::kWaiting : State::kRunning;
  status.error = error_;
  for (const auto& split : splits_.splits()) {
    ++status.splits;
    status.blocks_ahead += split->ahead.size();
    if (split->error) {
      status.error = split->error;
    }
    if (split->position.finished) {
      ++status.splits_finished;
      continue;
    }
    if (split->detached) {
      continue;
    }
    status.splits_unavailable += split->error ? 1 : 0;
    const bool is_gzip = split->reader && split->reader->file().is_gzip();
    if (!is_gzip && split->size > split->position.offset) {
      status.bytes_behind += split->size - split->position.offset;
    }
  }
  MutexLock lock(mutex_);
  status_ = std::move(status);
}

}  // namespace millrace
