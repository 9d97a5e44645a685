#include "millrace/state/chain_index.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "millrace/base/rng.h"

namespace millrace {
namespace {

std::multiset<GroupSlot> SlotsOf(const ChainIndex& index, uint64_t hash) {
  std::multiset<GroupSlot> slots;
  for (GroupSlot slot = index.First(hash); slot != GroupTable::kNone; slot = index.Next(slot)) {
    slots.insert(slot);
  }
  return slots;
}

TEST(ChainIndex, HasNoChainsAtFirst) {
  const ChainIndex index;
  EXPECT_EQ(index.First(0), GroupTable::kNone);
  EXPECT_EQ(index.First(7), GroupTable::kNone);
}

TEST(ChainIndex, TakesSlotsFromTheFrontTheMiddleAndTheEnd) {
  ChainIndex index;
  for (GroupSlot slot = 0; slot < 5; ++slot) {
    index.Link(slot, 42);
  }
  index.Unlink(2, 42);
  index.Unlink(4, 42);
  index.Unlink(0, 42);
  EXPECT_EQ(SlotsOf(index, 42), (std::multiset<GroupSlot>{1, 3}));
  index.Unlink(1, 42);
  index.Unlink(3, 42);
  EXPECT_EQ(index.First(42), GroupTable::kNone);
  index.Link(3, 42);
  EXPECT_EQ(SlotsOf(index, 42), (std::multiset<GroupSlot>{3}));
}

TEST(ChainIndex, DoesAsAMapOfSetsDoes) {
  Rng rng(5);
  ChainIndex index;
  std::map<uint64_t, std::multiset<GroupSlot>> expected;
  std::map<GroupSlot, uint64_t> linked;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<GroupSlot>(rng.Below(500));
    if (const auto found = linked.find(slot); found != linked.end()) {
      index.Unlink(slot, found->second);
      expected[found->second].erase(slot);
      linked.erase(found);
    } else {
      // Few places, many hashes: chains come, go and collide.
      const uint64_t hash = rng.Below(20) * 16 + rng.Below(1'000) * 4096;
      index.Link(slot, hash);
      expected[hash].insert(slot);
      linked[slot] = hash;
    }
  }
  for (const auto& [hash, slots] : expected) {
    EXPECT_EQ(SlotsOf(index, hash), slots);
  }
  EXPECT_LT(index.MemoryBytes(), size_t{200'000});
}

}  // namespace
}  // namespace millrace
