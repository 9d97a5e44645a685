#include "millrace/data/bitmap.h"

#include <gtest/gtest.h>

#include "millrace/base/rng.h"

namespace millrace {
namespace {

TEST(Bitmap, SetsClearsAndCounts) {
  std::vector<uint64_t> words(WordsForBits(130));
  EXPECT_EQ(words.size(), 3U);
  for (const size_t bit : {0U, 63U, 64U, 129U}) {
    SetBit(words.data(), bit);
    EXPECT_TRUE(GetBit(words.data(), bit));
  }
  EXPECT_EQ(CountBits(words), 4U);
  ClearBit(words.data(), 64);
  EXPECT_FALSE(GetBit(words.data(), 64));
  EXPECT_EQ(CountBits(words), 3U);
}

TEST(BitmapBuilder, EqualsBitByBitConstruction) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    BitmapBuilder builder;
    std::vector<bool> expected;
    for (int step = 0; step < 8; ++step) {
      const bool value = rng.Chance(0.5);
      const size_t count = rng.Below(150);
      if (rng.Chance(0.3)) {
        const size_t size = rng.Below(expected.size() + 1);
        builder.Truncate(size);
        expected.resize(size);
      }
      builder.AppendMany(value, count);
      expected.insert(expected.end(), count, value);
      builder.Append(!value);
      expected.push_back(!value);
    }
    ASSERT_EQ(builder.size(), expected.size());
    const auto words = builder.Take();
    ASSERT_EQ(words.size(), WordsForBits(expected.size()));
    for (size_t i = 0; i < words.size() * kBitsPerWord; ++i) {
      ASSERT_EQ(GetBit(words.data(), i), i < expected.size() && expected[i]) << i;
    }
    EXPECT_EQ(builder.size(), 0U);
  }
}

}  // namespace
}  // namespace millrace
