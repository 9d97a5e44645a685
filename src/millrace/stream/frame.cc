#include "millrace/stream/frame.h"

#include <algorithm>

namespace millrace {

EventTimes EventTimesOf(const Column& column, Micros append_time, Micros limit) {
  EventTimes times{.append_time = append_time};
  const std::span<const Micros> values = column.Values<Micros>();
  for (size_t row = 0; row < values.size(); ++row) {
    if (column.IsNull(row)) {
      continue;
    }
    times.min = std::min(times.min, values[row]);
    if (values[row] <= limit) {
      times.max = std::max(times.max, values[row]);
    } else {
      times.limit = limit;
    }
  }
  return times;
}

Bytes ControlFrame::Encode() const {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.Put(static_cast<uint8_t>(kind));
  writer.Put(time);
  return bytes;
}

Result<ControlFrame> ControlFrame::Decode(std::span<const std::byte> payload) {
  ByteReader reader(payload);
  MR_ASSIGN(const auto kind, reader.Get<uint8_t>());
  MR_ASSIGN(const auto time, reader.Get<Micros>());
  if (kind < static_cast<uint8_t>(Kind::kIdle) || kind > static_cast<uint8_t>(Kind::kEnd)) {
    return Err(ErrorCode::kCorruption, fmt::format("control frame of kind {}", kind));
  }
  return ControlFrame{.kind = static_cast<Kind>(kind), .time = time};
}

}  // namespace millrace
