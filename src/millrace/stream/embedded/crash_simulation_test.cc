#include <cstdlib>

#include <gtest/gtest.h>

#include "millrace/stream/embedded/crash_simulation_testing.h"

namespace millrace::simulation {
namespace {

/// MILLRACE_SEED: the first seed. MILLRACE_SEEDS: how many, instead of `count`.
uint64_t Variable(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

template <typename Scenario>
void RunSeeds(uint64_t count, Scenario scenario) {
  const uint64_t first = Variable("MILLRACE_SEED", 1);
  const uint64_t last = first + Variable("MILLRACE_SEEDS", count);
  for (uint64_t seed = first; seed < last; ++seed) {
    if (const auto failure = scenario(seed)) {
      FAIL() << *failure;
    }
  }
}

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
