#include "millrace/connect/error_replay.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/stream/awaited_commit.h"

namespace millrace {

namespace {

constexpr size_t kPollBytes = size_t{1} << 20;
constexpr size_t kEpochBytes = size_t{1} << 20;

}  // namespace

Result<ErrorReplay::Outcome> ErrorReplay::Run() {
  const std::string& table = ingestor_.table().name;
  const auto errors = transport_.FindStream("errors$" + table);
  if (!errors) {
    return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream errors${}", table));
  }
  errors_ = errors->id;
  reader_ = "replay:" + table;
  const PartitionInfo info = transport_.Describe(errors_, PartitionId(0));
  const auto positions = transport_.ReaderPositions(reader_);
  const auto found = positions.find({errors_, PartitionId(0)});
  position_ = std::max(info.begin, found == positions.end() ? info.begin : found->second);
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
        if (frame.batch == nullptr) {
          position_ = at;
          continue;
        }
        const auto error = static_cast<ErrorCode>(frame.batch->column(code).Values<int32_t>()[row]);
        if (error != ErrorCode::kRecordTooLarge && error != ErrorCode::kTableFull) {
          MR_TRY(Take(frame.batch->column(record).Text(row)));
        } else {
          ++outcome_.skipped;
        }
        position_ = at;
      }
    }
  }
  MR_TRY(Flush());
  return std::move(outcome_);
}

Status ErrorReplay::Take(std::string_view record) {
  const bool is_line = record.find_first_of("\r\n") == std::string_view::npos;
  if (!is_line || lines_.size() + record.size() > kEpochBytes) {
    MR_TRY(Flush());
  }
  if (is_line) {
    lines_ += record;
    lines_ += '\n';
    return {};
  }
  const auto decoded = ingestor_.Decode(PaddedBuffer(record), JsonFraming::kDocument);
  position_ = position_ + 1;
  return Commit(decoded);
}

Status ErrorReplay::Flush() {
  if (position_ == committed_) {
    return {};
  }
  const std::string lines = std::exchange(lines_, {});
  return Commit(ingestor_.Decode(PaddedBuffer(lines), JsonFraming::kLines));
}

Status ErrorReplay::Commit(const StreamIngestor::Decoded& decoded) {
  if (ended_) {
    return Err(ErrorCode::kUnavailable, "the server is stopping");
  }
  if (decoded.lost > 0) {
    return Err(ErrorCode::kTableFull, "the table is full: it would lose the records");
  }
  AwaitedCommit commit;
  MR_TRY(ingestor_.Commit(
      decoded, placement_,
      [this](EpochWriter& writer, const std::vector<PartitionId>&) {
        writer.SetPosition(reader_, errors_, PartitionId(0), position_);
      },
      commit.callback()));
  const CommitResult result = commit.Wait();
  if (result.outcome != CommitOutcome::kCommitted) {
    return Err(*result.error);
  }
  committed_ = position_;
  outcome_.accepted += decoded.accepted;
  outcome_.refused += decoded.errors.size();
  for (const AppendedRange& range : result.ranges) {
    if (range.stream == ingestor_.stream()) {
      outcome_.ranges.push_back(range);
    }
  }
  return {};
}

}  // namespace millrace
