#include <cstddef>
#include <cstdint>

#include "millrace/base/check.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/frame_codec_testing.h"
#include "millrace/stream/embedded/frame_format.h"

// Bytes as a stored frame: as they are, and as the payload of a frame whose checksums are right.

namespace millrace {
namespace {

constexpr uint64_t kIdentity = 0x11;

StreamInfo Stream() {
  return {
      .id = StreamId(1),
      .definition = {.name = "s",
                     .partitions = 1,
                     .schema = MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64)},
                                           {.name = "name", .type = DataType::Of(TypeId::kText)}}),
                     .properties = {}}};
}

void DecodeAsFrame(std::span<const std::byte> input) {
  const auto header = CheckFrame(input, kIdentity);
  if (header) {
    MR_CHECK(header->total_bytes() <= input.size());
  }
  const auto frame = DecodeFrame(Stream(), {PartitionId(0), Offset(0), 1},
                                 Buffer::Own(Bytes(input.begin(), input.end())), kIdentity);
  MR_CHECK(!frame || frame->count == 1);
}

void DecodeAsPayload(std::span<const std::byte> input) {
  const auto type = static_cast<FrameType>(1 + static_cast<uint8_t>(input[0]) % 3);
  const auto count = type == FrameType::kData ? 1 + static_cast<uint32_t>(input[1]) : 1U;
  AppendedFrame appended{.stream = StreamId(1),
                         .partition = PartitionId(0),
                         .frame = {.type = FrameType::kState, .begin = Offset(0), .count = count},
                         .encoded = {}};
  appended.frame.payload = Buffer::Own(Bytes(input.begin() + 2, input.end()));
  appended.encoded = EncodeFramePayload(appended.frame);
  appended.frame.type = type;
  SealFrame(appended, kIdentity, RoundId(1));
  const BufferPtr stored = Buffer::Own(BytesOf(appended.encoded));
  MR_CHECK(CheckFrame(stored->bytes(), kIdentity).has_value());
  const auto frame = DecodeFrame(Stream(), {PartitionId(0), Offset(0), count}, stored, kIdentity);
  MR_CHECK(frame || type == FrameType::kData);
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span input(reinterpret_cast<const std::byte*>(data), size);
  millrace::DecodeAsFrame(input);
  if (size >= 2) {
    millrace::DecodeAsPayload(input);
  }
  return 0;
}
