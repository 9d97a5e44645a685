#pragma once

#include <cstdint>
#include <span>

#include "millrace/base/bytes.h"
#include "millrace/stream/epoch_content.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// A stored frame's header, checked.
struct StoredFrameHeader {
  FrameType type = FrameType::kData;
  uint64_t identity = 0;
  uint32_t payload_bytes = 0;
  uint32_t count = 0;
  StreamId stream;
  PartitionId partition;
  Offset begin;
  RoundId round;
  EventTimes times;
  Micros max_event_time_before = kMicrosMin;

  size_t total_bytes() const;
};

/// Starts the stored form of a frame: room for the header, then the payload. The slow part of
/// writing, done on the thread that appends. For data frames the payload is codec/columnar.
Bytes EncodeFramePayload(const StreamFrame& frame);

/// Fills in the header of `frame.encoded` once offsets and round are known, and its checksum.
void SealFrame(AppendedFrame& frame, uint64_t identity, RoundId round);

/// Reads a header without its payload. Fails with kCorruption unless magic, version, lengths and
/// identity are right; the checksum needs the payload.
Result<StoredFrameHeader> ParseFrameHeader(std::span<const std::byte> bytes, uint64_t identity);

/// Checks a whole stored frame and returns its header. `bytes` may be longer than the frame.
Result<StoredFrameHeader> CheckFrame(std::span<const std::byte> bytes, uint64_t identity);

/// Decodes a whole stored frame of `stream`, checked; keeps `bytes` alive as needed.
Result<StreamFrame> DecodeFrame(const StreamDefinition& stream, BufferPtr bytes, uint64_t identity);

}  // namespace millrace
