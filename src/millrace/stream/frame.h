#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/data/batch.h"

namespace millrace {

/// What a frame carries. Numbers are stored.
enum class FrameType : uint8_t {
  kData = 1,     ///< A batch of rows.
  kControl = 2,  ///< A ControlFrame.
  kState = 3,    ///< Operator state: opaque to the transport.
};

/// Event times of a frame's rows, for watermarks (design section 6, "Time").
struct EventTimes {
  Micros append_time = 0;     ///< Wall clock when the rows came in.
  Micros min = kMicrosMax;    ///< Over all rows; kMicrosMax when there is none.
  Micros max = kMicrosMin;    ///< Over the rows up to `limit`; kMicrosMin when there is none.
  Micros limit = kMicrosMax;  ///< Rows behind it do not move the watermark.
};

/// Computes the times of a batch whose event-time column is `column`. NULL event times do not
/// count. When no row is behind `limit` the result has none (kMicrosMax): such frames can be
/// joined.
EventTimes EventTimesOf(const Column& column, Micros append_time, Micros limit);

/// One frame as read from a stream partition.
struct StreamFrame {
  FrameType type = FrameType::kData;
  Offset begin;
  uint32_t count = 0;  ///< Offsets it takes: rows of a batch; 1 for the other types.
  BatchPtr batch;      ///< kData only.
  BufferPtr payload;   ///< The other types.
  EventTimes times;
  Micros max_event_time_before = kMicrosMin;  ///< Over all earlier frames of the partition.

  Offset end() const { return begin + count; }
};

/// A control frame's content.
struct ControlFrame {
  enum class Kind : uint8_t {
    kIdle = 1,       ///< The partition no longer holds back the watermark.
    kActive = 2,     ///< It does again.
    kWatermark = 3,  ///< The writer's own watermark, `time`.
    kEnd = 4,        ///< The input has ended: the watermark is infinite.
  };
  Kind kind = Kind::kIdle;
  Micros time = 0;

  Bytes Encode() const;
  static Result<ControlFrame> Decode(std::span<const std::byte> payload);
};

}  // namespace millrace
