#include "millrace/serve/body_memory.h"

#include <gtest/gtest.h>

#include "millrace/base/bytes.h"
#include "millrace/serve/body_builder.h"

namespace millrace::serve {
namespace {

TEST(BodyMemory, WaitsAreGrantedInOrder) {
  BodyMemory memory(100);
  std::string granted;
  EXPECT_TRUE(memory.TryCharge(90));
  EXPECT_FALSE(memory.TryCharge(20));
  EXPECT_NE(memory.ChargeOrWait(50, [&] { granted += 'a'; }), 0U);
  const uint64_t cancelled = memory.ChargeOrWait(10, [&] { granted += 'b'; });
  EXPECT_NE(memory.ChargeOrWait(40, [&] { granted += 'c'; }), 0U);
  EXPECT_FALSE(memory.TryCharge(5)) << "nobody overtakes";
  EXPECT_TRUE(memory.CancelWait(cancelled));
  memory.Discharge(20);
  EXPECT_EQ(granted, "");
  memory.Discharge(70);
  EXPECT_EQ(granted, "ac");
  EXPECT_EQ(memory.charged_bytes(), 90U);
  EXPECT_FALSE(memory.CancelWait(cancelled));
}

TEST(BodyMemory, BodyGivesBackWhatItWasCharged) {
  const auto memory = std::make_shared<BodyMemory>(1 << 20);
  {
    BodyBuilder builder(memory, 500'000);
    ASSERT_TRUE(builder.Append(std::string(300'000, 'x')));
    EXPECT_GE(memory->charged_bytes(), 300'000U);
    BufferPtr shared = ShareBody(builder.Finish());
    EXPECT_EQ(shared->size(), 300'000U);
    EXPECT_EQ(AsText(shared->bytes()), std::string(300'000, 'x'));
    EXPECT_GE(memory->charged_bytes(), 300'000U);
  }
  EXPECT_EQ(memory->charged_bytes(), 0U);
}

TEST(BodyMemory, BuilderKeepsToLimitAndBudget) {
  const auto memory = std::make_shared<BodyMemory>(300'000);
  {
    BodyBuilder limited(memory, 1000);
    EXPECT_EQ(limited.Append(std::string(1001, 'x')).error().code(), ErrorCode::kBodyTooLarge);
    BodyBuilder builder(memory, 1 << 20);
    EXPECT_EQ(builder.Append(std::string(400'000, 'x')).error().code(), ErrorCode::kUnavailable);
  }
  EXPECT_EQ(memory->charged_bytes(), 0U);
}

TEST(BodyMemory, BlocksAreUsedAgain) {
  BodyMemory memory(1 << 20);
  auto block = memory.Allocate(100'000);
  EXPECT_EQ(block.capacity, size_t{1} << 17);
  const char* address = block.bytes.get();
  memory.Recycle(std::move(block));
  EXPECT_EQ(memory.Allocate(70'000).bytes.get(), address);
}

TEST(BodyMemory, EmptyBodiesArePaddedToo) {
  const RequestBody body;
  EXPECT_EQ(*(body.text().data() + RequestBody::kPadding - 1), 0);
}

}  // namespace
}  // namespace millrace::serve
