#include "millrace/stream/embedded/frame_joiner.h"

#include <algorithm>
#include <utility>

namespace millrace {

namespace {

/// Larger frames are copied as they are.
constexpr size_t kSmallBytes = 16 << 10;
constexpr size_t kJoinedBytesMax = 256 << 10;
constexpr size_t kJoinedRowsMax = 16'384;

/// Rows behind a limit do not move the watermark: joined frames would need one for each part.
bool IsSmall(const StoredFrameHeader& header) {
  return header.type == FrameType::kData && header.total_bytes() < kSmallBytes &&
         header.times.limit == kMicrosMax;
}

FrameKey KeyOf(const StoredFrameHeader& header) {
  return {header.partition, header.begin, header.count};
}

}  // namespace

bool FrameJoiner::Fits(const StoredFrameHeader& header) const {
  if (headers_.empty()) {
    return true;
  }
  const StoredFrameHeader& last = headers_.back();
  return IsSmall(headers_.front()) && IsSmall(header) && header.partition == last.partition &&
         header.begin == last.begin + last.count &&
         bytes_ + header.total_bytes() <= kJoinedBytesMax && rows_ + header.count <= kJoinedRowsMax;
}

void FrameJoiner::Add(const StoredFrameHeader& header, BufferPtr bytes) {
  headers_.push_back(header);
  frames_.push_back(std::move(bytes));
  bytes_ += header.total_bytes();
  rows_ += header.count;
}

Result<std::vector<FrameJoiner::Stored>> FrameJoiner::Take() {
  std::vector<Stored> stored;
  if (headers_.size() > 1) {
    MR_ASSIGN(auto joined, Join());
    if (joined.bytes->size() < bytes_) {
      stored.push_back(std::move(joined));
    }
  }
  if (stored.empty()) {
    stored = AsTheyAre();
  }
  headers_.clear();
  frames_.clear();
  bytes_ = 0;
  rows_ = 0;
  return stored;
}

std::vector<FrameJoiner::Stored> FrameJoiner::AsTheyAre() {
  std::vector<Stored> stored;
  stored.reserve(headers_.size());
  for (size_t i = 0; i < headers_.size(); ++i) {
    stored.push_back({KeyOf(headers_[i]), std::move(frames_[i])});
  }
  return stored;
}

Result<FrameJoiner::Stored> FrameJoiner::Join() const {
  const StoredFrameHeader& first = headers_.front();
  StreamFrame joined{.type = FrameType::kData,
                     .begin = first.begin,
                     .count = static_cast<uint32_t>(rows_),
                     .batch = nullptr,
                     .payload = nullptr,
                     .times = first.times,
                     .max_event_time_before = first.max_event_time_before};
  std::vector<BatchPtr> batches;
  for (size_t i = 0; i < headers_.size(); ++i) {
    MR_ASSIGN(const auto frame, DecodeFrame(stream_, KeyOf(headers_[i]), frames_[i], identity_));
    batches.push_back(frame.batch);
    joined.times.append_time = std::max(joined.times.append_time, frame.times.append_time);
    joined.times.min = std::min(joined.times.min, frame.times.min);
    joined.times.max = std::max(joined.times.max, frame.times.max);
  }
  joined.batch = Concatenate(batches);
  AppendedFrame appended{
      .stream = first.stream, .partition = first.partition, .frame = joined, .encoded = {}};
  appended.encoded = EncodeFramePayload(joined);
  SealFrame(appended, identity_, headers_.back().round);
  return Stored{{first.partition, joined.begin, joined.count},
                Buffer::Own(std::move(appended.encoded.head))};
}

}  // namespace millrace
