#include "millrace/state/keyed_state.h"

#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/row_encoding.h"

namespace millrace {
namespace {

using Model = std::map<std::pair<Micros, std::string>, int64_t>;

void Add(KeyedState& state, Micros bucket, const std::string& key, int64_t amount) {
  *reinterpret_cast<int64_t*>(state.Touch(bucket, key, HashEncoded(key))) += amount;
}

Model Content(const KeyedState& state) {
  Model content;
  EXPECT_TRUE(state.Visit(kMicrosMin, kMicrosMax,
                          [&](Micros bucket, std::string_view key, const std::byte* value) {
                            const auto amount = *reinterpret_cast<const int64_t*>(value);
                            if (amount != 0) {  // Otherwise it only waits for the commit to go.
                              content[{bucket, std::string(key)}] = amount;
                            }
                            return Status{};
                          }));
  return content;
}

/// Changes some keys, empties some, now and then drops the oldest buckets.
void RandomEpoch(KeyedState& state, Rng& rng) {
  const uint64_t changes = rng.Below(40);
  for (uint64_t i = 0; i < changes; ++i) {
    const auto bucket = static_cast<Micros>(rng.Below(6));
    const std::string key = fmt::format("k{}", rng.Below(30));
    auto& value = *reinterpret_cast<int64_t*>(state.Touch(bucket, key, HashEncoded(key)));
    value = rng.Chance(0.3) ? 0 : value + static_cast<int64_t>(rng.Below(100));
  }
  if (rng.Chance(0.1)) {
    state.DropBuckets(static_cast<Micros>(rng.Below(4)));
  }
}

TEST(KeyedState, ShowsWhatAnEpochChanged) {
  KeyedState state(8);
  state.BeginEpoch(EpochId(1));
  Add(state, 0, "a", 5);
  Bytes sealed;
  state.Seal(sealed);
  state.BeginEpoch(EpochId(2));
  Add(state, 0, "a", 1);
  Add(state, 0, "a", 1);
  Add(state, 0, "b", 3);
  std::map<std::string, std::pair<int64_t, int64_t>> changes;
  ASSERT_TRUE(state.VisitChanges([&](Micros, std::string_view key, const std::byte* before,
                                     const std::byte* after) {
    changes[std::string(key)] = {before == nullptr ? -1 : *reinterpret_cast<const int64_t*>(before),
                                 *reinterpret_cast<const int64_t*>(after)};
    return Status{};
  }));
  EXPECT_EQ(changes,
            (std::map<std::string, std::pair<int64_t, int64_t>>{{"a", {5, 7}}, {"b", {-1, 3}}}));
}

TEST(KeyedState, RollsBackToAnyEpochThatIsNotCommitted) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    KeyedState state(8);
    std::vector<Model> after{Model{}};  // By epoch.
    uint64_t committed = 0;
    for (int step = 0; step < 60; ++step) {
      state.BeginEpoch(EpochId(after.size()));
      RandomEpoch(state, rng);
      if (rng.Chance(0.8)) {
        Bytes sealed;
        state.Seal(sealed);
        after.push_back(Content(state));
      } else {
        state.Rollback(EpochId(after.size()));
      }
      if (rng.Chance(0.3)) {
        const uint64_t back_to = committed + rng.Below(after.size() - committed);
        state.Rollback(EpochId(back_to + 1));
        after.resize(back_to + 1);
      }
      ASSERT_EQ(Content(state), after.back()) << "seed " << seed;
      if (rng.Chance(0.3)) {
        committed = after.size() - 1;
        state.Committed(EpochId(committed));
      }
    }
  }
}

TEST(KeyedState, ComesBackFromSealedEpochsAlone) {
  Rng rng(3);
  KeyedState state(8);
  KeyedState restored(8);
  for (uint64_t epoch = 1; epoch <= 100; ++epoch) {
    state.BeginEpoch(EpochId(epoch));
    RandomEpoch(state, rng);
    Bytes sealed;
    state.Seal(sealed);
    ByteReader reader(sealed);
    ASSERT_TRUE(restored.Restore(reader));
    ASSERT_EQ(Content(restored), Content(state));
  }
}

TEST(KeyedState, ComesBackFromTheLastWholeSnapshotWalk) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    KeyedState state(8);
    std::vector<Bytes> frames;
    size_t walk_begin = 0;
    std::optional<size_t> complete_walk_begin;
    for (uint64_t epoch = 1; epoch <= 80; ++epoch) {
      state.BeginEpoch(EpochId(epoch));
      RandomEpoch(state, rng);
      Bytes frame;
      state.Seal(frame);
      const bool complete = state.AppendSnapshot(200, frame);
      frames.push_back(std::move(frame));
      if (complete) {
        complete_walk_begin = walk_begin;
        walk_begin = frames.size();
      }
    }
    ASSERT_TRUE(complete_walk_begin);
    KeyedState restored(8);
    for (size_t i = *complete_walk_begin; i < frames.size(); ++i) {
      ByteReader reader(frames[i]);
      ASSERT_TRUE(restored.Restore(reader));
      ASSERT_TRUE(restored.Restore(reader));
      ASSERT_EQ(reader.remaining(), 0);
    }
    ASSERT_EQ(Content(restored), Content(state)) << "seed " << seed;
  }
}

TEST(KeyedState, LetsEmptyValuesGoOnceTheirEpochIsCommitted) {
  KeyedState state(8);
  Bytes sealed;
  state.BeginEpoch(EpochId(1));
  Add(state, 0, "a", 5);
  Add(state, 0, "b", 5);
  state.Seal(sealed);
  state.BeginEpoch(EpochId(2));
  Add(state, 0, "a", -5);
  Add(state, 0, "b", -5);
  state.Seal(sealed);
  state.BeginEpoch(EpochId(3));
  Add(state, 0, "b", 1);
  EXPECT_EQ(state.keys(), 2);
  state.Committed(EpochId(2));
  EXPECT_EQ(state.keys(), 1);
  state.Rollback(EpochId(3));
  EXPECT_EQ(Content(state), Model{});
}

TEST(KeyedState, KeepsEmptyValuesOfAShapeThatSaysSo) {
  KeyedState state(ValueShape{.bytes = 8, .keeps_empty = true});
  Bytes sealed;
  state.BeginEpoch(EpochId(1));
  Add(state, 0, "", 0);
  state.Seal(sealed);
  state.Committed(EpochId(1));
  EXPECT_EQ(state.keys(), 1);
}

TEST(KeyedState, RefusesDamagedSections) {
  KeyedState state(8);
  state.BeginEpoch(EpochId(1));
  Add(state, 0, "a", 5);
  Bytes sealed;
  state.Seal(sealed);
  for (size_t size = 0; size < sealed.size(); ++size) {
    KeyedState restored(8);
    ByteReader reader(std::span<const std::byte>(sealed).first(size));
    const auto status = restored.Restore(reader);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::kCorruption);
  }
}

}  // namespace
}  // namespace millrace
