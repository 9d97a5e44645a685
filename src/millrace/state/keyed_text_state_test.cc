// KeyedState with texts in its values: what is replaced, undone and compacted away.

#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/data/row_encoding.h"
#include "millrace/state/keyed_state.h"

namespace millrace {
namespace {

struct Value {
  int64_t changes = 0;
  TextRef text;
};
const ValueShape kShape{.bytes = sizeof(Value), .texts = {offsetof(Value, text)}};

using Model = std::map<std::pair<Micros, std::string>, std::pair<int64_t, std::string>>;

void Set(KeyedState& state, Micros bucket, const std::string& key, std::string_view text) {
  auto& value = *reinterpret_cast<Value*>(state.Touch(bucket, key, HashEncoded(key)));
  ++value.changes;
  value.text = state.touched_texts().Copy(text);
}

Model Content(const KeyedState& state) {
  Model content;
  EXPECT_TRUE(state.Visit(
      kMicrosMin, kMicrosMax, [&](Micros bucket, std::string_view key, const std::byte* bytes) {
        const auto& value = *reinterpret_cast<const Value*>(bytes);
        content[{bucket, std::string(key)}] = {value.changes, std::string(value.text.view())};
        return Status{};
      }));
  return content;
}

/// Replaces so much that arenas are compacted again and again.
void RandomEpoch(KeyedState& state, Rng& rng) {
  const uint64_t changes = rng.Below(30);
  for (uint64_t i = 0; i < changes; ++i) {
    const std::string text(rng.Below(6000), static_cast<char>('a' + rng.Below(26)));
    Set(state, static_cast<Micros>(rng.Below(3)), fmt::format("k{}", rng.Below(5)), text);
  }
  if (rng.Chance(0.1)) {
    state.DropBuckets(static_cast<Micros>(rng.Below(3)));
  }
}

TEST(KeyedTextState, RollsBackToAnyEpochThatIsNotCommitted) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    KeyedState state(kShape);
    std::vector<Model> after{Model{}};  // By epoch.
    uint64_t committed = 0;
    for (int step = 0; step < 60; ++step) {
      state.BeginEpoch(EpochId(after.size()));
      RandomEpoch(state, rng);
      Bytes sealed;
      state.Seal(sealed);
      after.push_back(Content(state));
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

TEST(KeyedTextState, KeepsMemoryNearWhatIsAlive) {
  KeyedState state(kShape);
  const std::string text(1000, 'x');
  for (uint64_t epoch = 1; epoch <= 2000; ++epoch) {
    state.BeginEpoch(EpochId(epoch));
    Set(state, 0, "key", text);
    Bytes sealed;
    state.Seal(sealed);
    state.Committed(EpochId(epoch));
  }
  EXPECT_LT(state.MemoryBytes(), size_t{300} << 10);
}

TEST(KeyedTextState, ComesBackFromSealedEpochsAndSnapshots) {
  Rng rng(3);
  KeyedState state(kShape);
  KeyedState restored(kShape);
  for (uint64_t epoch = 1; epoch <= 100; ++epoch) {
    state.BeginEpoch(EpochId(epoch));
    RandomEpoch(state, rng);
    Bytes sealed;
    state.Seal(sealed);
    state.AppendSnapshot(20'000, sealed);
    ByteReader reader(sealed);
    ASSERT_TRUE(restored.Restore(reader));
    ASSERT_TRUE(restored.Restore(reader));
    ASSERT_EQ(reader.remaining(), 0);
    ASSERT_EQ(Content(restored), Content(state));
  }
}

TEST(KeyedTextState, WritesNoAddresses) {
  const auto seal = [](const std::string& garbage) {
    KeyedState state(kShape);
    state.BeginEpoch(EpochId(1));
    Set(state, 0, "key", garbage);
    Set(state, 0, "key", "text");
    Bytes sealed;
    state.Seal(sealed);
    return sealed;
  };
  EXPECT_EQ(seal("a"), seal(std::string(100'000, 'b')));
}

}  // namespace
}  // namespace millrace
