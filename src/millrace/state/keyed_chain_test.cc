// Chains of a KeyedState: keys found by their prefix, whatever becomes of the epochs.

#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "millrace/base/rng.h"
#include "millrace/state/keyed_state.h"

namespace millrace {
namespace {

constexpr uint64_t kPrefixes = 7;
const ValueShape kShape{.bytes = 8, .is_chained = true};

using Model = std::map<std::pair<Micros, std::string>, int64_t>;

std::string PrefixOf(uint64_t number) { return fmt::format("p{}", number); }

std::string Key(uint64_t prefix, uint64_t rest) {
  std::string key;
  KeyedState::AppendChainedPrefix(PrefixOf(prefix), key);
  return key + fmt::format("r{}", rest);
}

/// By bucket and key, from walking all chains.
Model ByChains(const KeyedState& state, Micros from, Micros to) {
  Model content;
  for (uint64_t prefix = 0; prefix < kPrefixes; ++prefix) {
    const std::string text = PrefixOf(prefix);
    state.VisitChain(
        from, to, text, HashEncoded(text),
        [&](Micros bucket, GroupSlot, std::string_view key, const std::byte* value) {
          EXPECT_EQ(KeyedState::ChainedPrefix(key), text);
          const auto amount = *reinterpret_cast<const int64_t*>(value);
          if (amount != 0) {
            EXPECT_TRUE(content.try_emplace({bucket, std::string(key)}, amount).second);
          }
        });
  }
  return content;
}

/// By bucket and key, from looking at everything.
Model ByVisit(const KeyedState& state, Micros from, Micros to) {
  Model content;
  EXPECT_TRUE(
      state.Visit(from, to, [&](Micros bucket, std::string_view key, const std::byte* value) {
        const auto amount = *reinterpret_cast<const int64_t*>(value);
        if (amount != 0) {
          content[{bucket, std::string(key)}] = amount;
        }
        return Status{};
      }));
  return content;
}

void RandomEpoch(KeyedState& state, Rng& rng) {
  for (uint64_t changes = rng.Below(60); changes > 0; --changes) {
    const uint64_t prefix = rng.Below(kPrefixes);
    const std::string key = Key(prefix, rng.Below(12));
    auto& value = *reinterpret_cast<int64_t*>(state.Touch(
        static_cast<Micros>(rng.Below(4)), key, HashEncoded(key), HashEncoded(PrefixOf(prefix))));
    value = rng.Chance(0.4) ? 0 : value + 1;
  }
  if (rng.Chance(0.1)) {
    state.DropBuckets(static_cast<Micros>(rng.Below(3)));
  }
}

TEST(KeyedChains, HoldWhatIsThereThroughCommitsRollbacksAndRestores) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    KeyedState state(kShape);
    KeyedState restored(kShape);
    uint64_t epoch = 0;
    for (int step = 0; step < 50; ++step) {
      state.BeginEpoch(EpochId(++epoch));
      RandomEpoch(state, rng);
      Bytes sealed;
      state.Seal(sealed);
      if (rng.Chance(0.3)) {
        state.Rollback(EpochId(epoch--));
      } else {
        state.Committed(EpochId(epoch));
        ByteReader reader(sealed);
        ASSERT_TRUE(restored.Restore(reader));
      }
      ASSERT_EQ(ByChains(state, kMicrosMin, kMicrosMax), ByVisit(state, kMicrosMin, kMicrosMax))
          << "seed " << seed;
      ASSERT_EQ(ByChains(restored, kMicrosMin, kMicrosMax), ByVisit(state, kMicrosMin, kMicrosMax))
          << "seed " << seed;
      ASSERT_EQ(ByChains(state, 1, 3), ByVisit(state, 1, 3)) << "seed " << seed;
    }
  }
}

TEST(KeyedChains, TouchWhatAVisitFound) {
  KeyedState restored(kShape);
  Bytes sealed;
  {
    KeyedState state(kShape);
    state.BeginEpoch(EpochId(1));
    const std::string key = Key(1, 1);
    *reinterpret_cast<int64_t*>(state.Touch(0, key, HashEncoded(key), HashEncoded(PrefixOf(1)))) =
        5;
    state.Seal(sealed);
  }
  ByteReader reader(sealed);
  ASSERT_TRUE(restored.Restore(reader));
  restored.BeginEpoch(EpochId(2));
  std::vector<GroupSlot> found;
  restored.VisitChain(
      0, 1, PrefixOf(1), HashEncoded(PrefixOf(1)),
      [&](Micros, GroupSlot slot, std::string_view, const std::byte*) { found.push_back(slot); });
  ASSERT_EQ(found.size(), 1);
  *reinterpret_cast<int64_t*>(restored.TouchSlot(0, found[0])) += 1;
  EXPECT_EQ(ByChains(restored, 0, 1), (Model{{{0, Key(1, 1)}, 6}}));
  restored.Rollback(EpochId(2));
  EXPECT_EQ(ByChains(restored, 0, 1), (Model{{{0, Key(1, 1)}, 5}}));
}

}  // namespace
}  // namespace millrace
