#include <gtest/gtest.h>

#include "millrace/app/engine_simulation_testing.h"
#include "millrace/base/planted_bug.h"

namespace millrace::simulation {
namespace {

/// A bug of the engine or of ingest, and what it would do to a user.
struct Planted {
  const char* name;
  const char* meaning;
};

constexpr Planted kBugs[] = {
    {"DeltaAppliedTwice", "after a restart the last epoch's rows are read and counted again"},
    {"StateFrameSkipped", "after a restart the last epoch's rows are not in the state"},
    {"StateTrimmedTooEarly", "state that a restart needs is given up"},
    {"WatermarkNotRestored", "after a restart late rows count"},
    {"DroppedBucketsForgotten", "after a restart closed windows come out again"},
    {"PreImageForgotten", "an aborted epoch leaves its changes in the state"},
    {"PositionNotRolledBack", "the rows of an aborted epoch are lost"},
    {"WatermarkNotRolledBack", "the rows of an aborted epoch are late when they come again"},
    {"OutputInItsOwnEpoch", "output can be durable without the state that it follows from"},
    {"WindowsClosedTooEarly", "a window is closed while a partition may still bring rows for it"},
    {"LatenessOfWholeFrame", "whether a row is late depends on where frames are cut"},
    {"KeyBeforeData", "a request is taken for answered whose records are lost"},
};

/// Runs all scenarios until one finds something; returns what it says.
EngineSimulation::Failure FindBug(uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const auto scenario : {EngineCrashManyTimes, EngineFaults, EngineAborts}) {
      if (auto failure = scenario(seed)) {
        return failure;
      }
    }
  }
  return std::nullopt;
}

class EnginePlantedBugTest : public ::testing::TestWithParam<Planted> {
 protected:
  void TearDown() override { PlantBug(""); }
};

TEST_P(EnginePlantedBugTest, IsFound) {
  PlantBug(GetParam().name);
  const auto failure = FindBug(150);
  EXPECT_GT(ThePlantedBug().reached_count, 0U) << "the place of the bug was never reached";
  ASSERT_TRUE(failure.has_value()) << GetParam().meaning << ", and nothing noticed";
  RecordProperty("found_by", failure->substr(0, failure->find('\n')));
}

INSTANTIATE_TEST_SUITE_P(Engine, EnginePlantedBugTest, ::testing::ValuesIn(kBugs),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(EnginePlantedBug, NoneFindsNothing) {
  PlantBug("");
  const auto failure = FindBug(5);
  EXPECT_FALSE(failure.has_value()) << *failure;
}

}  // namespace
}  // namespace millrace::simulation
