#pragma once

#include <cstdint>
#include <span>

#include "millrace/base/bytes.h"
#include "millrace/stream/epoch_content.h"
#include "millrace/stream/stream_table.h"

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
  uint64_t payload_hash = 0;

  size_t total_bytes() const;
};

/// Whether a payload is small enough to be stored.
bool FitsIntoFrame(const AppendedFrame& frame);

/// Starts the stored form of a frame. The slow part of writing, done on the thread that appends.
/// For data frames the payload is codec/columnar.
StoredFrame EncodeFramePayload(const StreamFrame& frame);

/// Fills in the header of `frame.encoded` once offsets and round are known, and its checksum.
/// FitsIntoFrame holds.
void SealFrame(AppendedFrame& frame, uint64_t identity, RoundId round);

/// Reads and checks a header; the payload may be missing. kCorruption when it is damaged or of
/// another data directory, kFormatTooNew.
Result<StoredFrameHeader> ParseFrameHeader(std::span<const std::byte> bytes, uint64_t identity);

/// Checks a whole stored frame and returns its header. `bytes` may be longer than the frame.
Result<StoredFrameHeader> CheckFrame(std::span<const std::byte> bytes, uint64_t identity);

/// Decodes a whole stored frame, checked to be frame `key` of `stream`; keeps `bytes` alive as
/// needed. Errors: kCorruption, kFormatTooNew, kDefinitionChanged.
Result<StreamFrame> DecodeFrame(const StreamInfo& stream, const FrameKey& key,
                                const BufferPtr& bytes, uint64_t identity);

}  // namespace millrace
