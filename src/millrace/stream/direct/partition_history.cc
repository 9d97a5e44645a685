#include "millrace/stream/direct/partition_history.h"

#include <algorithm>

namespace millrace {

namespace {

constexpr uint8_t kVersion = 1;

}  // namespace

void PartitionHistory::Note(const StreamFrame& frame) {
  max_event_time = std::max({max_event_time, frame.max_event_time_before, frame.times.max});
  last = {.kind = ControlFrame::Kind::kActive, .time = kMicrosMin};
  if (frame.type == FrameType::kControl) {
    if (const auto control = ControlFrame::Decode(frame.payload->bytes())) {
      last = *control;
    }
  }
}

std::string PartitionHistory::Encode() const {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(kVersion);
  writer.Put(max_event_time);
  writer.PutBytes(last.Encode());
  return std::string(AsText(bytes));
}

Result<PartitionHistory> PartitionHistory::Decode(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  ByteReader reader(bytes);
  PartitionHistory history;
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  if (version != kVersion) {
    return Err(ErrorCode::kFormatTooNew, "the history of a partition");
  }
  MR_ASSIGN(history.max_event_time, reader.Get<Micros>());
  MR_ASSIGN(history.last, ControlFrame::Decode(bytes.subspan(reader.position())));
  return history;
}

}  // namespace millrace
