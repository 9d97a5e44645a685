#include "millrace/serve/body_receiver.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace millrace::serve {

namespace {

constexpr uint64_t kFirstCharge = uint64_t{256} << 10;

}  // namespace

BodyReceiver::BodyReceiver(std::shared_ptr<BodyMemory> memory, const BodyLimits& limits,
                           const RequestHead& head, bool is_gzip, RequestParser parser)
    : limits_(limits),
      length_(head.is_chunked ? std::nullopt : head.content_length),
      parser_(std::move(parser)),
      body_(std::move(memory), is_gzip ? limits.decoded_bytes_max : limits.wire_bytes_max) {
  if (is_gzip) {
    inflater_.emplace(limits.ratio_max);
  }
  if (is_direct()) {
    body_.AllocateWhole(*length_);
  }
}

size_t BodyReceiver::bytes_to_charge() const {
  if (!is_direct() || body_.size() < body_.charged_bytes()) {
    return 0;
  }
  const uint64_t charged = body_.charged_bytes();
  return std::min<uint64_t>(*length_, std::max(kFirstCharge, charged * 2)) - charged;
}

std::span<char> BodyReceiver::DirectRoom() {
  if (!is_direct()) {
    return {};
  }
  const auto room = body_.ChargedRoom();
  return room.first(std::min<uint64_t>(room.size(), *length_ - body_.size()));
}

void BodyReceiver::AdvanceDirect(size_t bytes) {
  body_.Advance(bytes);
  wire_bytes_ += bytes;
  done_ = wire_bytes_ == *length_;
}

Status BodyReceiver::Take(std::string_view bytes) {
  wire_bytes_ += bytes.size();
  if (wire_bytes_ > limits_.wire_bytes_max) {
    return Err(ErrorCode::kBodyTooLarge,
               fmt::format("the limit is {} bytes", limits_.wire_bytes_max));
  }
  return inflater_ ? inflater_->Write(bytes, body_) : body_.Append(bytes);
}

Status BodyReceiver::CheckEnd() {
  if (done_ && inflater_ && !inflater_->finished()) {
    return Err(ErrorCode::kDecompressionFailed, "the compressed body is cut off");
  }
  return {};
}

Result<size_t> BodyReceiver::Feed(std::string_view bytes) {
  if (is_direct()) {
    const auto room = DirectRoom();
    const size_t size = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.substr(0, size), room.begin());
    AdvanceDirect(size);
    return size;
  }
  if (length_) {
    const size_t size = std::min<uint64_t>(*length_ - wire_bytes_, bytes.size());
    MR_TRY(Take(bytes.substr(0, size)));
    done_ = wire_bytes_ == *length_;
    MR_TRY(CheckEnd());
    return size;
  }
  MR_ASSIGN(const size_t consumed,
            parser_.ParseChunks(bytes, [this](std::string_view piece) { return Take(piece); }));
  done_ = parser_.chunks_done();
  MR_TRY(CheckEnd());
  return consumed;
}

}  // namespace millrace::serve
