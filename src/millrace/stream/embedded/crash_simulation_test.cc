#include <gtest/gtest.h>

#include "millrace/base/seeds_testing.h"
#include "millrace/stream/embedded/crash_simulation_testing.h"

namespace millrace::simulation {
namespace {

TEST(CrashSimulation, AtEveryOperation) {
  uint64_t total = 0;
  RunSeeds(8, [&](uint64_t seed) {
    uint64_t operations = 0;
    auto failure = CrashAtEveryOperation(seed, &operations);
    total += operations;
    return failure;
  });
  RecordProperty("crashes", static_cast<int>(total));
  EXPECT_GT(total, 0U);
}

TEST(CrashSimulation, ManyTimes) { RunSeeds(400, CrashManyTimes); }

TEST(CrashSimulation, FullDisk) { RunSeeds(200, FillDisk); }

TEST(CrashSimulation, FailedOperation) { RunSeeds(300, FailOperation); }

TEST(CrashSimulation, DamagedFiles) { RunSeeds(500, DamageFiles); }

}  // namespace
}  // namespace millrace::simulation
