#pragma once

#include <cstdint>
#include <optional>

#include "millrace/base/int128.h"

namespace millrace {

/// A 192-bit two's complement sum of 128-bit values, so that a sum which leaves the range of its
/// type and comes back stays exact. Plain data: all zero is zero.
struct WideSum {
  uint64_t low = 0;
  uint64_t middle = 0;
  int64_t high = 0;

  /// Adds value * weight.
  void Add(Int128 value, int32_t weight) {
    if (weight == 1) {
      AddOnce(value);
    } else {
      AddScaled(value, weight);
    }
  }

  void Add(const WideSum& other) {
    const Uint128 low_sum = Uint128{low} + other.low;
    const Uint128 middle_sum = Uint128{middle} + other.middle + (low_sum >> 64);
    low = static_cast<uint64_t>(low_sum);
    middle = static_cast<uint64_t>(middle_sum);
    high = static_cast<int64_t>(static_cast<uint64_t>(high) + static_cast<uint64_t>(other.high) +
                                static_cast<uint64_t>(middle_sum >> 64));
  }

  /// Nothing when the sum does not fit 128 bits.
  std::optional<Int128> Get() const {
    const auto value = static_cast<Int128>((Uint128{middle} << 64) | low);
    if (high != (value < 0 ? -1 : 0)) {
      return std::nullopt;
    }
    return value;
  }

 private:
  void AddOnce(Int128 value) {
    const auto bits = static_cast<Uint128>(value);
    Add(WideSum{.low = static_cast<uint64_t>(bits),
                .middle = static_cast<uint64_t>(bits >> 64),
                .high = value < 0 ? -1 : 0});
  }

  void AddScaled(Int128 value, int32_t weight) {
    const bool negative = (value < 0) != (weight < 0);
    const auto bits = static_cast<Uint128>(value);
    const Uint128 magnitude = value < 0 ? Uint128{0} - bits : bits;
    const auto factor = static_cast<uint64_t>(weight < 0 ? -int64_t{weight} : int64_t{weight});
    const Uint128 low_product = Uint128{static_cast<uint64_t>(magnitude)} * factor;
    const Uint128 high_product =
        Uint128{static_cast<uint64_t>(magnitude >> 64)} * factor + (low_product >> 64);
    WideSum product{.low = static_cast<uint64_t>(low_product),
                    .middle = static_cast<uint64_t>(high_product),
                    .high = static_cast<int64_t>(high_product >> 64)};
    if (negative) {
      product = product.Negated();
    }
    Add(product);
  }

  WideSum Negated() const {
    WideSum result{.low = ~low, .middle = ~middle, .high = ~high};
    result.Add(WideSum{.low = 1, .middle = 0, .high = 0});
    return result;
  }
};

}  // namespace millrace
