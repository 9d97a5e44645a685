#pragma once

#include <cstdint>
#include <cstdlib>

#include <gtest/gtest.h>

namespace millrace::simulation {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr uint64_t kSlowness = 8;
#else
inline constexpr uint64_t kSlowness = 1;
#endif
#else
inline constexpr uint64_t kSlowness = 1;
#endif

/// A number from the environment.
inline uint64_t NumberOr(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

/// Runs `scenario(seed)` for `count` seeds, fewer under a sanitizer, until one returns what is
/// wrong, and fails with that. MILLRACE_SEED is the first seed instead of 1, MILLRACE_SEEDS how
/// many there are.
template <typename Scenario>
void RunSeeds(uint64_t count, Scenario scenario) {
  const uint64_t first = NumberOr("MILLRACE_SEED", 1);
  const uint64_t seeds = NumberOr("MILLRACE_SEEDS", (count + kSlowness - 1) / kSlowness);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    if (const auto failure = scenario(seed)) {
      FAIL() << *failure;
    }
  }
}

}  // namespace millrace::simulation
