#include "millrace/state/group_table.h"

#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/row_encoding.h"

namespace millrace {
namespace {

int64_t& Number(GroupTable& table, GroupSlot slot) {
  return *reinterpret_cast<int64_t*>(table.Value(slot));
}

TEST(GroupTable, GivesNewKeysZeroValuesAndKeepsOldOnes) {
  GroupTable table(8);
  const auto first = table.FindOrInsert("a", HashEncoded("a"));
  EXPECT_TRUE(first.is_new);
  EXPECT_EQ(Number(table, first.slot), 0);
  Number(table, first.slot) = 7;
  const auto again = table.FindOrInsert("a", HashEncoded("a"));
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(Number(table, again.slot), 7);
  EXPECT_EQ(table.Find("b", HashEncoded("b")), GroupTable::kNone);
}

TEST(GroupTable, TellsKeysOfOneHashApart) {
  GroupTable table(8);
  const auto a = table.FindOrInsert("a", 42);
  const auto b = table.FindOrInsert("b", 42);
  EXPECT_NE(a.slot, b.slot);
  table.Erase(a.slot);
  EXPECT_EQ(table.Find("b", 42), b.slot);
  EXPECT_EQ(table.Find("a", 42), GroupTable::kNone);
}

TEST(GroupTable, DoesWhatAMapDoes) {
  GroupTable table(8);
  std::map<std::string, int64_t> model;
  Rng rng(1);
  for (int i = 0; i < 200'000; ++i) {
    // Of lengths that a record holds, and longer ones.
    const uint64_t n = rng.Below(5000);
    const std::string key = fmt::format("key {} {}", n, std::string(n % 4 * 8, 'x'));
    const uint64_t hash = HashEncoded(key);
    if (rng.Chance(0.3)) {
      const GroupSlot slot = table.Find(key, hash);
      ASSERT_EQ(slot != GroupTable::kNone, model.erase(key) == 1);
      if (slot != GroupTable::kNone) {
        table.Erase(slot);
      }
    } else {
      const auto inserted = table.FindOrInsert(key, hash);
      ASSERT_EQ(inserted.is_new, !model.contains(key));
      ASSERT_EQ(Number(table, inserted.slot), model[key]);
      Number(table, inserted.slot) = ++model[key];
    }
  }
  EXPECT_EQ(table.size(), model.size());
  for (const auto& [key, value] : model) {
    const GroupSlot slot = table.Find(key, HashEncoded(key));
    ASSERT_NE(slot, GroupTable::kNone);
    EXPECT_EQ(Number(table, slot), value);
    EXPECT_EQ(table.Key(slot), key);
  }
}

}  // namespace
}  // namespace millrace
