#include "millrace/stream/embedded/frame_codec.h"

#include <gtest/gtest.h>

#include "millrace/data/random_batch.h"
#include "millrace/stream/embedded/frame_codec_testing.h"
#include "millrace/stream/embedded/frame_format.h"

namespace millrace {
namespace {

constexpr uint64_t kIdentity = 0x1234;

StreamInfo Stream(SchemaPtr schema) {
  return {
      .id = StreamId(3),
      .definition = {.name = "s", .partitions = 4, .schema = std::move(schema), .properties = {}}};
}

AppendedFrame Sealed(StreamFrame frame) {
  frame.begin = Offset(100);
  frame.max_event_time_before = 77;
  AppendedFrame appended{
      .stream = StreamId(3), .partition = PartitionId(2), .frame = std::move(frame), .encoded = {}};
  appended.encoded = EncodeFramePayload(appended.frame);
  SealFrame(appended, kIdentity, RoundId(5));
  return appended;
}

AppendedFrame StateFrame(std::string_view text) {
  const auto bytes = AsBytes(text);
  return Sealed({.type = FrameType::kState,
                 .count = 1,
                 .payload = Buffer::Own(Bytes(bytes.begin(), bytes.end()))});
}

ErrorCode CodeOf(Bytes bytes, const FrameKey& key, uint64_t identity = kIdentity) {
  const auto frame = DecodeFrame(Stream(nullptr), key, Buffer::Own(std::move(bytes)), identity);
  return frame ? ErrorCode{} : frame.error().code();
}

constexpr FrameKey kKey{.partition = PartitionId(2), .begin = Offset(100), .count = 1};

TEST(FrameCodec, GivesBackRows) {
  Rng rng(1);
  const SchemaPtr schema = SchemaOfAllTypes();
  const BatchPtr batch = RandomBatch(rng, schema, 50, 0.2, 0.5);
  const EventTimes times{.append_time = 1, .min = 2, .max = 3, .limit = 4};
  const AppendedFrame sealed = Sealed({.count = 50, .batch = batch, .times = times});
  const auto frame = DecodeFrame(Stream(schema), {PartitionId(2), Offset(100), 50},
                                 Buffer::Own(BytesOf(sealed.encoded)), kIdentity);
  ASSERT_TRUE(frame) << frame.error().ToString();
  EXPECT_TRUE(SameRows(*frame->batch, *batch));
  EXPECT_EQ(frame->times.limit, 4);
  EXPECT_EQ(frame->max_event_time_before, 77);
  EXPECT_EQ(frame->end(), Offset(150));
}

TEST(FrameCodec, GivesBackOpaquePayloads) {
  const AppendedFrame sealed = StateFrame("state");
  const auto frame =
      DecodeFrame(Stream(nullptr), kKey, Buffer::Own(BytesOf(sealed.encoded)), kIdentity);
  ASSERT_TRUE(frame);
  EXPECT_EQ(AsText(frame->payload->bytes()), "state");
}

TEST(FrameCodec, EachBitIsChecked) {
  const Bytes good = BytesOf(StateFrame("state").encoded);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    const ErrorCode code = CodeOf(std::move(bytes), kKey);
    const bool newer = bit / 8 == 4 && code == ErrorCode::kFormatTooNew;
    EXPECT_TRUE(newer || code == ErrorCode::kCorruption) << bit;
  }
}

TEST(FrameCodec, EachShorterFrameIsDamaged) {
  const Bytes good = BytesOf(StateFrame("state").encoded);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(CodeOf({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)}, kKey),
              ErrorCode::kCorruption);
  }
}

TEST(FrameCodec, HeaderProvesItselfWithoutItsPayload) {
  const Bytes good = BytesOf(StateFrame("state").encoded);
  const auto header =
      ParseFrameHeader(std::span(good).first(frame_format::kHeaderBytes), kIdentity);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->total_bytes(), good.size());
  EXPECT_EQ(header->round, RoundId(5));
}

TEST(FrameCodec, MisplacedFramesAreDamaged) {
  const Bytes good = BytesOf(StateFrame("state").encoded);
  EXPECT_EQ(CodeOf(good, kKey), ErrorCode{});
  EXPECT_EQ(CodeOf(good, kKey, kIdentity + 1), ErrorCode::kCorruption);
  EXPECT_EQ(CodeOf(good, {PartitionId(1), Offset(100), 1}), ErrorCode::kCorruption);
  EXPECT_EQ(CodeOf(good, {PartitionId(2), Offset(99), 1}), ErrorCode::kCorruption);
}

TEST(FrameCodec, RowsInAStreamWithoutColumnsAreDamage) {
  Rng rng(1);
  const BatchPtr batch = RandomBatch(rng, SchemaOfAllTypes(), 1, 0, 0);
  EXPECT_EQ(CodeOf(BytesOf(Sealed({.count = 1, .batch = batch}).encoded), kKey),
            ErrorCode::kCorruption);
}

}  // namespace
}  // namespace millrace
