#include "millrace/base/planted_bug.h"

#include <gtest/gtest.h>

#include "millrace/stream/embedded/crash_simulation_testing.h"

namespace millrace::simulation {
namespace {

/// A bug of the storage layer and what it would do to a user.
struct Planted {
  const char* name;
  const char* meaning;
};

constexpr Planted kBugs[] = {
    {"SkipSegmentSync", "a round refers to segment bytes that are not durable"},
    {"SkipJournalSync", "a round is acknowledged and not durable"},
    {"SkipDirectorySync", "a new journal file has no durable name"},
    {"SkipSegmentDirectorySync", "a new segment has no durable name"},
    {"PositionBeforeData", "a position is committed in an earlier record than its data"},
    {"RetryElsewhere", "a round that met a full disk is written again behind its torn part"},
    {"AcceptStaleTail", "records of an earlier use of a journal file count"},
    {"RetireBeforeCommit", "a journal file goes before the record that says it is copied"},
    {"TrustUnsyncedTail", "recovery trusts what a failed sync has left in memory"},
    {"ForgetBoundsAtRemoval", "a removed segment takes the partition's bounds with it"},
    {"DropStraddlingFrame", "a frame that is trimmed in part is not copied"},
    {"KeepCopiedJournal", "a copied journal file that a crash has left is never retired"},
};

/// Runs all scenarios until one finds something; returns what it says.
CrashSimulation::Failure FindBug(uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const auto scenario : {CrashManyTimes, FillDisk, FailOperation, DamageFiles}) {
      if (auto failure = scenario(seed)) {
        return failure;
      }
    }
    if (auto failure = CrashAtOperation(seed, 1 + seed * 7 % 150)) {
      return failure;
    }
  }
  return std::nullopt;
}

class PlantedBugTest : public ::testing::TestWithParam<Planted> {
 protected:
  void TearDown() override { PlantBug(""); }
};

TEST_P(PlantedBugTest, IsFound) {
  PlantBug(GetParam().name);
  const auto failure = FindBug(400);
  EXPECT_GT(ThePlantedBug().reached_count, 0U) << "the place of the bug was never reached";
  ASSERT_TRUE(failure.has_value()) << GetParam().meaning << ", and nothing noticed";
  RecordProperty("found_by", failure->substr(0, failure->find('\n')));
}

INSTANTIATE_TEST_SUITE_P(Storage, PlantedBugTest, ::testing::ValuesIn(kBugs),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(PlantedBug, NoneFindsNothing) {
  PlantBug("");
  const auto failure = FindBug(5);
  EXPECT_FALSE(failure.has_value()) << *failure;
}

}  // namespace
}  // namespace millrace::simulation
