#include <gtest/gtest.h>

#include "millrace/app/engine_simulation_testing.h"
#include "millrace/base/seeds_testing.h"

namespace millrace::simulation {
namespace {

TEST(EngineSimulation, AtEveryOperation) {
  uint64_t operations = 0;
  RunSeeds(4, [&](uint64_t seed) { return EngineCrashAtEveryOperation(seed, &operations); });
  RecordProperty("crashes", static_cast<int>(operations));
  EXPECT_GT(operations, 0U);
}

TEST(EngineSimulation, ManyTimes) { RunSeeds(300, EngineCrashManyTimes); }

TEST(EngineSimulation, Faults) { RunSeeds(300, EngineFaults); }

TEST(EngineSimulation, Aborts) { RunSeeds(500, EngineAborts); }

}  // namespace
}  // namespace millrace::simulation
