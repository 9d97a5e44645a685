#pragma once

#include <cstdint>

#include "millrace/base/int128.h"

namespace millrace {

/// The finisher of SplitMix64.
inline uint64_t MixBits(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
inline constexpr uint64_t kGoldenStep = 0x9e3779b97f4a7c15;

/// Makes neighbouring seeds differ in all bits.
inline uint64_t MixSeed(uint64_t seed) { return MixBits(seed + kGoldenStep); }

/// The random draws of one row, by what they are for: a function of seed, row and use, so that any
/// may be asked for, in any order.
class Draws {
 public:
  Draws() = default;
  /// `seed`: mixed, see MixSeed.
  Draws(uint64_t seed, uint64_t number) : base_(MixBits(seed + number * kGoldenStep)) {}

  uint64_t At(uint64_t use) const { return MixBits(base_ + (use + 1) * kGoldenStep); }
  /// Uniform in [0, bound); `bound` > 0.
  int64_t Below(uint64_t use, int64_t bound) const {
    return static_cast<int64_t>((Uint128{At(use)} * static_cast<uint64_t>(bound)) >> 64);
  }
  /// Uniform in [0, 1).
  double Unit(uint64_t use) const { return static_cast<double>(At(use) >> 11) * 0x1.0p-53; }

 private:
  uint64_t base_ = 0;
};

}  // namespace millrace
