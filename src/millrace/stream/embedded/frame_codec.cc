#include "millrace/stream/embedded/frame_codec.h"

#include <limits>

#include "millrace/base/checksum.h"
#include "millrace/codec/columnar.h"
#include "millrace/stream/embedded/frame_format.h"

namespace millrace {

namespace {

using frame_format::kCheckedFrom;
using frame_format::kChecksumAt;
using frame_format::kHeaderBytes;
using frame_format::kMagic;
using frame_format::kPayloadBytesMax;
using frame_format::kPayloadHashAt;
using frame_format::kVersion;

uint64_t Load64(std::span<const std::byte> bytes, size_t at) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

uint64_t ChecksumOf(std::span<const std::byte> header) {
  return Xxh3(header.subspan(kCheckedFrom, kHeaderBytes - kCheckedFrom), Load64(header, 0));
}

}  // namespace

size_t StoredFrameHeader::total_bytes() const { return kHeaderBytes + payload_bytes; }

bool FitsIntoFrame(const AppendedFrame& frame) {
  return frame.encoded.size() - kHeaderBytes <= kPayloadBytesMax;
}

StoredFrame EncodeFramePayload(const StreamFrame& frame) {
  StoredFrame stored{.head = Bytes(kHeaderBytes), .payload = nullptr};
  if (frame.type == FrameType::kData) {
    EncodeColumnar(*frame.batch, stored.head);
  } else {
    stored.payload = frame.payload;
  }
  const auto payload = stored.payload == nullptr ? std::span(stored.head).subspan(kHeaderBytes)
                                                 : stored.payload->bytes();
  ByteWriter(stored.head).Patch(kPayloadHashAt, Xxh3(payload));
  return stored;
}

void SealFrame(AppendedFrame& appended, uint64_t identity, RoundId round) {
  const StreamFrame& frame = appended.frame;
  MR_CHECK(FitsIntoFrame(appended), "frame of {} bytes", appended.encoded.size());
  const size_t payload_bytes = appended.encoded.size() - kHeaderBytes;
  Bytes header;
  header.reserve(kHeaderBytes);
  ByteWriter writer(header);
  writer.Put(kMagic);
  writer.Put(kVersion);
  writer.Put(static_cast<uint8_t>(frame.type));
  writer.Put(uint16_t{0});
  writer.Put(uint64_t{0});
  writer.Put(identity);
  writer.Put(static_cast<uint32_t>(payload_bytes));
  writer.Put(frame.count);
  writer.Put(appended.stream.value());
  writer.Put(appended.partition.value());
  writer.Put(frame.begin.value());
  writer.Put(round.value());
  writer.Put(frame.times.append_time);
  writer.Put(frame.times.min);
  writer.Put(frame.times.max);
  writer.Put(frame.times.limit);
  writer.Put(frame.max_event_time_before);
  writer.Put(Load64(appended.encoded.head, kPayloadHashAt));
  MR_CHECK(header.size() == kHeaderBytes);
  writer.Patch(kChecksumAt, ChecksumOf(header));
  std::memcpy(appended.encoded.head.data(), header.data(), kHeaderBytes);
}

Result<StoredFrameHeader> ParseFrameHeader(std::span<const std::byte> bytes, uint64_t identity) {
  ByteReader reader(bytes);
  MR_ASSIGN(const auto magic, reader.Get<uint32_t>());
  MR_ASSIGN(const auto version, reader.Get<uint8_t>());
  MR_ASSIGN(const auto type, reader.Get<uint8_t>());
  MR_ASSIGN(const auto zero, reader.Get<uint16_t>());
  MR_ASSIGN(const auto checksum, reader.Get<uint64_t>());
  StoredFrameHeader header;
  MR_ASSIGN(header.identity, reader.Get<uint64_t>());
  MR_ASSIGN(header.payload_bytes, reader.Get<uint32_t>());
  MR_ASSIGN(header.count, reader.Get<uint32_t>());
  MR_ASSIGN(const auto stream, reader.Get<uint32_t>());
  MR_ASSIGN(const auto partition, reader.Get<uint32_t>());
  MR_ASSIGN(const auto begin, reader.Get<int64_t>());
  MR_ASSIGN(const auto round, reader.Get<uint64_t>());
  MR_ASSIGN(header.times.append_time, reader.Get<Micros>());
  MR_ASSIGN(header.times.min, reader.Get<Micros>());
  MR_ASSIGN(header.times.max, reader.Get<Micros>());
  MR_ASSIGN(header.times.limit, reader.Get<Micros>());
  MR_ASSIGN(header.max_event_time_before, reader.Get<Micros>());
  MR_ASSIGN(header.payload_hash, reader.Get<uint64_t>());
  if (magic != kMagic) {
    return Err(ErrorCode::kCorruption, "not a frame header");
  }
  if (version > kVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("frame of version {}", version));
  }
  if (checksum != ChecksumOf(bytes)) {
    return Err(ErrorCode::kCorruption, "frame header fails its checksum");
  }
  if (header.identity != identity) {
    return Err(ErrorCode::kCorruption, "frame of another data directory");
  }
  const bool known_type = type >= static_cast<uint8_t>(FrameType::kData) &&
                          type <= static_cast<uint8_t>(FrameType::kState);
  const bool one_offset = type == static_cast<uint8_t>(FrameType::kData) || header.count == 1;
  if (version != kVersion || zero != 0 || !known_type || !one_offset || header.count == 0 ||
      header.payload_bytes > kPayloadBytesMax || begin < 0 ||
      begin > std::numeric_limits<int64_t>::max() - header.count) {
    return Err(ErrorCode::kCorruption, "frame header with impossible values");
  }
  header.type = static_cast<FrameType>(type);
  header.stream = StreamId(stream);
  header.partition = PartitionId(partition);
  header.begin = Offset(begin);
  header.round = RoundId(round);
  return header;
}

Result<StoredFrameHeader> CheckFrame(std::span<const std::byte> bytes, uint64_t identity) {
  MR_ASSIGN(auto header, ParseFrameHeader(bytes, identity));
  if (bytes.size() < header.total_bytes()) {
    return Err(ErrorCode::kCorruption, "frame is cut short");
  }
  if (header.payload_hash != Xxh3(bytes.subspan(kHeaderBytes, header.payload_bytes))) {
    return Err(ErrorCode::kCorruption, "frame fails its checksum");
  }
  return header;
}

Result<StreamFrame> DecodeFrame(const StreamInfo& stream, const FrameKey& key,
                                const BufferPtr& bytes, uint64_t identity) {
  MR_ASSIGN(const auto header, CheckFrame(bytes->bytes(), identity));
  if (header.stream != stream.id || key != FrameKey{header.partition, header.begin, header.count}) {
    return Err(ErrorCode::kCorruption,
               fmt::format("frame of stream {} partition {} offset {} where that of stream {} "
                           "partition {} offset {} belongs",
                           header.stream, header.partition, header.begin, stream.id, key.partition,
                           key.begin));
  }
  StreamFrame frame{.type = header.type,
                    .begin = header.begin,
                    .count = header.count,
                    .batch = nullptr,
                    .payload = nullptr,
                    .times = header.times,
                    .max_event_time_before = header.max_event_time_before};
  auto payload = std::make_shared<const Buffer>(
      bytes->bytes().subspan(kHeaderBytes, header.payload_bytes), bytes);
  if (header.type != FrameType::kData) {
    frame.payload = std::move(payload);
    return frame;
  }
  if (stream.definition.schema == nullptr) {
    return Err(ErrorCode::kCorruption, "frame of rows in a stream that has no columns");
  }
  MR_ASSIGN(frame.batch, DecodeColumnar(stream.definition.schema, payload));
  if (frame.batch->rows() != frame.count) {
    return Err(ErrorCode::kCorruption, "frame holds another number of rows than it says");
  }
  return frame;
}

}  // namespace millrace
