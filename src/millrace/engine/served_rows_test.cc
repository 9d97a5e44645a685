#include "millrace/engine/served_rows.h"

#include <cstring>
#include <map>
#include <tuple>

#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/column_builder.h"

namespace millrace {
namespace {

SchemaPtr OneColumn() {
  return MakeSchema({Field{.name = "n", .type = DataType::Of(TypeId::kInt64), .nullable = false}});
}

BatchPtr Changes(const std::vector<std::pair<int64_t, int32_t>>& changes) {
  ColumnBuilder builder(DataType::Of(TypeId::kInt64));
  std::vector<int32_t> weights;
  for (const auto& [n, weight] : changes) {
    builder.AppendFixed(n);
    weights.push_back(weight);
  }
  return Batch::Make(OneColumn(), {builder.Finish()}, changes.size(),
                     {.weights = Buffer::Own(std::move(weights)),
                      .watermarks_before = nullptr,
                      .offsets = nullptr});
}

/// Rows by their encoded form, with how often each is there.
std::map<std::string, int64_t> Contents(const ServedRows::Root& root) {
  std::map<std::string, int64_t> contents;
  uint64_t rows = 0;
  for (size_t page = 0; page < root.pages(); ++page) {
    root.VisitPage(page, [&](std::string_view row, int64_t count) {
      EXPECT_TRUE(contents.emplace(row, count).second) << "a row is on two pages";
      ++rows;
    });
  }
  EXPECT_EQ(rows, root.rows());
  return contents;
}

/// What Contents gives for a plain multiset.
std::map<std::string, int64_t> Expected(const std::map<int64_t, int64_t>& model) {
  std::map<std::string, int64_t> expected;
  for (const auto& [n, count] : model) {
    std::string row(1, '\1');
    row.append(reinterpret_cast<const char*>(&n), sizeof(n));
    expected[row] = count;
  }
  return expected;
}

TEST(ServedRowsTest, ShowsNothingBeforeItIsPublished) {
  ServedRows rows(1);
  rows.Apply(0, *Changes({{1, 1}}));
  EXPECT_EQ(rows.root()->rows(), 0);
  rows.Publish({Offset(5)}, {Offset(7)});
  EXPECT_EQ(rows.root()->rows(), 1);
  EXPECT_EQ(rows.root()->position(), std::vector{Offset(5)});
  EXPECT_EQ(rows.root()->source_position(), std::vector{Offset(7)});
}

TEST(ServedRowsTest, EqualsAMultisetOverGrowthAndRemovalWhileOldRootsStay) {
  constexpr uint64_t kValues = 40'000;  // More pages than two directories hold.
  Rng rng(11);
  ServedRows rows(3);
  std::map<int64_t, int64_t> model;
  std::vector<std::pair<std::shared_ptr<const ServedRows::Root>, std::map<int64_t, int64_t>>> old;
  for (int commit = 0; commit < 60; ++commit) {
    std::vector<std::vector<std::pair<int64_t, int32_t>>> changes(rows.shards());
    const bool shrinks = commit >= 40;
    for (int i = 0; i < 2'000; ++i) {
      const auto n = static_cast<int64_t>(rng.Below(kValues));
      const auto present = model.find(n);
      const bool remove = present != model.end() && (shrinks || rng.Below(4) == 0);
      const auto weight =
          static_cast<int32_t>(remove ? -present->second : 1 + static_cast<int64_t>(rng.Below(2)));
      changes[static_cast<size_t>(n) % rows.shards()].emplace_back(n, weight);
      if (remove) {
        model.erase(present);
      } else {
        model[n] += weight;
      }
    }
    for (size_t shard = 0; shard < rows.shards(); ++shard) {
      rows.Apply(shard, *Changes(changes[shard]));
    }
    rows.Publish({}, {});
    if (commit % 15 == 0) {
      old.emplace_back(rows.root(), model);
    }
  }
  EXPECT_GT(rows.root()->pages(), 512);
  EXPECT_EQ(Contents(*rows.root()), Expected(model));
  for (const auto& [root, was] : old) {
    EXPECT_EQ(Contents(*root), Expected(was));
  }
}

/// Rows of two columns, the first of which is the key.
BatchPtr KeyedChanges(const std::vector<std::tuple<int64_t, int64_t, int32_t>>& changes) {
  ColumnBuilder keys(DataType::Of(TypeId::kInt64));
  ColumnBuilder values(DataType::Of(TypeId::kInt64));
  std::vector<int32_t> weights;
  for (const auto& [key, value, weight] : changes) {
    keys.AppendFixed(key);
    values.AppendFixed(value);
    weights.push_back(weight);
  }
  const DataType type = DataType::Of(TypeId::kInt64);
  return Batch::Make(MakeSchema({Field{.name = "k", .type = type, .nullable = false},
                                 Field{.name = "v", .type = type, .nullable = false}}),
                     {keys.Finish(), values.Finish()}, changes.size(),
                     {.weights = Buffer::Own(std::move(weights)),
                      .watermarks_before = nullptr,
                      .offsets = nullptr});
}

TEST(ServedRowsTest, TakesABatchThatIsMuchLargerThanAllItHas) {
  // With some rows that come again and some that go: in pages that had not grown meanwhile each
  // would be searched among all the others.
  constexpr int64_t kRows = 300'000;
  ServedRows rows(1);
  std::vector<std::pair<int64_t, int32_t>> changes;
  std::map<int64_t, int64_t> model;
  for (int64_t n = 0; n < kRows; ++n) {
    changes.emplace_back(n, 1);
    if (n % 3 == 0) {
      changes.emplace_back(n / 2, n % 2 == 0 ? 2 : -1);
    }
  }
  for (const auto& [n, weight] : changes) {
    model[n] += weight;
  }
  std::erase_if(model, [](const auto& row) { return row.second == 0; });
  rows.Apply(0, *Changes(changes));
  rows.Publish({}, {});
  EXPECT_EQ(Contents(*rows.root()), Expected(model));
  EXPECT_GT(rows.root()->pages(), model.size() / 32);
}

TEST(ServedRowsTest, RowsOfAKeyTakeEachOthersPlace) {
  constexpr int64_t kKeys = 3'000;
  Rng rng(5);
  ServedRows rows(1, {0});
  std::map<int64_t, int64_t> model;
  std::shared_ptr<const ServedRows::Root> old;
  std::map<int64_t, int64_t> was;
  for (int commit = 0; commit < 20; ++commit) {
    std::vector<std::tuple<int64_t, int64_t, int32_t>> changes;
    for (int i = 0; i < 1'000; ++i) {
      const auto key = static_cast<int64_t>(rng.Below(kKeys));
      const auto value = static_cast<int64_t>(rng.Below(10));
      if (const auto present = model.find(key); present != model.end()) {
        changes.emplace_back(key, present->second, -1);
      }
      changes.emplace_back(key, value, 1);
      model[key] = value;
    }
    rows.Apply(0, *KeyedChanges(changes));
    rows.Publish({}, {});
    if (commit == 10) {
      old = rows.root();
      was = model;
    }
  }
  const auto expect = [](const ServedRows::Root& root, const std::map<int64_t, int64_t>& expected) {
    EXPECT_EQ(root.rows(), expected.size());
    std::map<int64_t, int64_t> found;
    for (size_t page = 0; page < root.pages(); ++page) {
      root.VisitPage(page, [&](std::string_view row, int64_t count) {
        EXPECT_EQ(count, 1);
        int64_t key = 0;
        int64_t value = 0;
        std::memcpy(&key, row.data() + 1, sizeof(key));
        std::memcpy(&value, row.data() + 1 + sizeof(key) + 1, sizeof(value));
        found[key] = value;
      });
    }
    EXPECT_EQ(found, expected);
  };
  expect(*rows.root(), model);
  expect(*old, was);
}

TEST(ServedRowsTest, KeepsShardsThatDidNotChange) {
  ServedRows rows(2);
  rows.Reserve(1, 1000);
  rows.Apply(0, *Changes({{1, 1}}));
  rows.Apply(1, *Changes({{2, 1}, {3, 2}}));
  rows.Publish({}, {});
  rows.Apply(0, *Changes({{1, -1}, {4, 1}}));
  rows.Publish({}, {});
  EXPECT_EQ(Contents(*rows.root()), Expected({{2, 1}, {3, 2}, {4, 1}}));
}

}  // namespace
}  // namespace millrace
