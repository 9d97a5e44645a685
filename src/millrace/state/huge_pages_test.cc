#include "millrace/state/huge_pages.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(HugePages, HoldWhatAVectorGrowsTo) {
  HugePageVector<uint64_t> numbers;
  constexpr size_t kCount = (64 << 20) / sizeof(uint64_t);
  for (size_t i = 0; i < kCount; ++i) {
    numbers.push_back(i);
  }
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(numbers[i], i);
  }
}

TEST(HugePages, LargeBlocksBeginOnAPage) {
  constexpr size_t kPage = 2 << 20;
  for (const size_t bytes : {size_t{1}, kPage, 4 * kPage, 4 * kPage + 1, 33 * kPage}) {
    void* const memory = AllocateOnHugePages(bytes);
    if (bytes >= 4 * kPage) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % kPage, 0);
    }
    FreeOnHugePages(memory, bytes);
  }
}

}  // namespace
}  // namespace millrace
