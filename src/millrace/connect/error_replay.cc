#include "millrace/connect/error_replay.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/stream/awaited_commit.h"

namespace millrace {

namespace {

constexpr size_t kPollBytes = size_t{1} << 20;
constexpr size_t kEpochBytes = size_t{1} << 20;
constexpr std::chrono::milliseconds kEndedCheck{100};

bool IsLine(std::string_view text) { return text.find_first_of("\r\n") == text.npos; }

}  // namespace

ErrorReplay::ErrorReplay(StreamIngestor& ingestor, Transport& transport, Format format,
                         bool beside_source, const std::atomic<bool>& ended)
    : ingestor_(ingestor),
      transport_(transport),
      format_(std::move(format)),
      ended_(ended),
      reader_(ReaderOf(ingestor.table().name)) {
  if (beside_source) {
    placement_ = {.watermark_limit = kMicrosMin, .rests = true};
  }
  if (ingestor.table().is_direct) {
    placement_.partition = PartitionId(0);  // All epochs that set one position go to one.
  }
}

std::string ErrorReplay::ReaderOf(std::string_view table) {
  return fmt::format("replay:{}", table);
}

Result<ErrorReplay::Outcome> ErrorReplay::Run() {
  const std::string& table = ingestor_.table().name;
  const auto errors = transport_.FindStream("errors$" + table);
  if (!errors) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream errors${}", table));
  }
  errors_ = errors->id;
  const PartitionInfo info = transport_.Describe(errors_, PartitionId(0));
  MR_ASSIGN(position_, ReadPosition(info.begin));
  committed_ = position_;
  const Offset end = info.durable_end;
  const size_t code = *errors->definition.schema->Find("code");
  const size_t record = *errors->definition.schema->Find("record");
  const auto cursor =
      transport_.OpenCursor(errors_, PartitionId(0), position_, Visibility::kDurable);
  while (position_ < end) {
    MR_ASSIGN(const auto frames, cursor->Poll(kPollBytes));
    if (frames.empty()) {
      break;
    }
    for (const StreamFrame& frame : frames) {
      for (Offset at = std::max(frame.begin, position_); at < std::min(frame.end(), end);) {
        const auto row = static_cast<size_t>(at - frame.begin);
        at = at + 1;
        position_ = at;
        if (frame.batch == nullptr) {
          continue;
        }
        const auto error = static_cast<ErrorCode>(frame.batch->column(code).Values<int32_t>()[row]);
        if (error != ErrorCode::kRecordTooLarge && error != ErrorCode::kTableFull) {
          MR_TRY(Take(frame.batch->column(record).Text(row)));
        } else {
          ++outcome_.skipped;
        }
      }
    }
  }
  MR_TRY(Flush());
  return std::move(outcome_);
}

Result<Offset> ErrorReplay::ReadPosition(Offset begin) const {
  if (!ingestor_.table().is_direct) {
    const auto positions = transport_.ReaderPositions(reader_);
    const auto found = positions.find({errors_, PartitionId(0)});
    return found == positions.end() ? begin : std::max(begin, found->second);
  }
  const auto splits = transport_.ReadSourcePositions(reader_);
  const auto found = splits.find(fmt::format("{}", errors_));
  if (found == splits.end()) {
    return begin;
  }
  int64_t offset = 0;
  const std::string& text = found->second;
  const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || last != text.data() + text.size()) {
    return Err(ErrorCode::kCorruption, fmt::format("position {} of {}", text, reader_));
  }
  return std::max(begin, Offset(offset));
}

void ErrorReplay::WritePosition(EpochWriter& writer, Offset position) const {
  if (ingestor_.table().is_direct) {
    writer.SetSourcePosition(reader_, fmt::format("{}", errors_), fmt::format("{}", position));
  } else {
    writer.SetPosition(reader_, errors_, PartitionId(0), position);
  }
}

Status ErrorReplay::Take(std::string_view record) {
  if (format_.has_header) {
    MR_ASSIGN(const size_t header, TakeHeader(record));
    record.remove_prefix(header);
    if (record.empty()) {
      ++outcome_.skipped;
      return {};
    }
  }
  if (format_.header_decoder != nullptr) {
    const auto padded = PaddedBuffer(record);
    const size_t header = format_.header_decoder->TakeHeader(AsText(padded->bytes()));
    record.remove_prefix(header < record.size() ? header : 0);
  }
  // A document of several lines can only be read for itself.
  const bool is_line = format_.decoder != nullptr || IsLine(record);
  if (!is_line || pending_bytes_ + record.size() > kEpochBytes) {
    const Offset end = std::exchange(position_, Offset(position_.value() - 1));
    MR_TRY(Flush());
    position_ = end;
  }
  pending_.push_back({.record = std::string(record), .end = position_});
  pending_bytes_ += record.size();
  return is_line ? Status() : Flush();
}

Result<size_t> ErrorReplay::TakeHeader(std::string_view record) {
  if (header_.empty() || !record.starts_with(header_)) {
    const Offset end = std::exchange(position_, Offset(position_.value() - 1));
    MR_TRY(Flush());
    position_ = end;
    header_ = record.substr(0, format_.decoder->TakeHeader(AsText(PaddedBuffer(record)->bytes())));
  }
  return header_.size();
}

Status ErrorReplay::Flush() {
  if (position_ == committed_) {
    return {};
  }
  const auto pending = std::exchange(pending_, {});
  pending_bytes_ = 0;
  return FeedBack(pending, position_);
}

Status ErrorReplay::FeedBack(std::span<const Pending> pending, Offset position) {
  std::string text;
  for (const Pending& each : pending) {
    text += each.record;
    text += pending.size() > 1 ? "\n" : "";
  }
  if (const auto decoded = Decode(text, pending.size())) {
    return Commit(*decoded, position);
  }
  // One of them takes others for a part of itself: fewer at once, in the end each alone.
  const size_t half = pending.size() / 2;
  MR_TRY(FeedBack(pending.first(half), pending[half - 1].end));
  return FeedBack(pending.subspan(half), position);
}

std::optional<StreamIngestor::Decoded> ErrorReplay::Decode(const std::string& text,
                                                           size_t records) {
  const BufferPtr body = PaddedBuffer(text);
  if (format_.decoder == nullptr) {
    const bool is_document = records == 1 && !IsLine(text);
    return ingestor_.Decode(body, is_document ? JsonFraming::kDocument : JsonFraming::kLines);
  }
  DecodedRecords decoded;
  format_.decoder->Decode(body, decoded);
  if (records > 1 && decoded.records != records) {
    return std::nullopt;
  }
  auto complete = ingestor_.Complete(body, std::move(decoded));
  complete.AddHeader(header_);
  return complete;
}

Status ErrorReplay::Commit(const StreamIngestor::Decoded& decoded, Offset position) {
  if (ended_) {
    return Err(ErrorCode::kUnavailable, "the server is stopping");
  }
  if (decoded.lost > 0) {
    return Err(ErrorCode::kTableFull, "the table is full: it would lose the records");
  }
  AwaitedCommit commit;
  MR_TRY(ingestor_.Commit(
      decoded, placement_,
      [&](EpochWriter& writer, const std::vector<PartitionId>&) {
        WritePosition(writer, position);
      },
      commit.callback()));
  auto result = commit.WaitFor(kEndedCheck);
  while (!result && !ended_) {
    result = commit.WaitFor(kEndedCheck);
  }
  if (!result) {
    return Err(ErrorCode::kUnavailable, "the server is stopping");
  }
  if (result->outcome != CommitOutcome::kCommitted) {
    return Err(*result->error);
  }
  committed_ = position;
  outcome_.accepted += decoded.accepted;
  outcome_.refused += decoded.errors.size();
  for (const AppendedRange& range : result->ranges) {
    if (range.stream == ingestor_.stream()) {
      outcome_.ranges.push_back(range);
    }
  }
  return {};
}

}  // namespace millrace
