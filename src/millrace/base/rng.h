#pragma once

#include <cstdint>

#include "millrace/base/int128.h"

namespace millrace {

/// Seeded random numbers; equal seeds give equal sequences on every machine. SplitMix64 (Steele,
/// Lea, Flood, OOPSLA 2014). Not for secrets: see FillRandomBytes. Not thread-safe.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound); `bound` > 0. The bias is below 2^-32 for bounds below 2^32.
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>((Uint128{Next()} * bound) >> 64); }

  /// Uniform in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  bool Chance(double probability) { return Unit() < probability; }

 private:
  uint64_t state_;
};

/// Fills `size` bytes from the operating system's secure generator; for tokens and identities.
void FillRandomBytes(void* data, uint32_t size);

}  // namespace millrace
