#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "millrace/codec/json_scan.h"

namespace millrace::json {

/// How many of eight characters, from the lowest byte on, are digits.
inline size_t LeadingDigits(uint64_t word) {
  constexpr uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
  const uint64_t others =
      ((word & kHigh) | (((word + 0x0606060606060606) & kHigh) >> 4)) ^ 0x3333333333333333;
  return others == 0 ? 8 : static_cast<size_t>(std::countr_zero(others)) / 8;
}

/// The value of eight digits 0..9, one a byte, the first in the lowest (D. Lemire, "Quickly parsing
/// eight digits", 2018).
inline uint64_t EightDigits(uint64_t digits) {
  digits = (digits * 10) + (digits >> 8);
  constexpr uint64_t kMask = 0x000000FF000000FF;
  return (((digits & kMask) * 0x000F424000000064) +
          (((digits >> 16) & kMask) * 0x0000271000000001)) >>
         32;
}

/// Reads the decimal digits at the cursor into `value`; returns their count. `value` has wrapped
/// when they are more than 19.
inline size_t ReadDigits(Cursor& cursor, uint64_t& value) {
  constexpr uint64_t kZeros = 0x3030303030303030;
  constexpr std::array<uint64_t, 9> kPowers = {1,       10,        100,        1'000,      10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000};
  const char* at = cursor.at;
  size_t digits = 8;
  while (digits == 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    digits = std::min(LeadingDigits(word), static_cast<size_t>(cursor.end - at));
    if (digits == 0) {
      break;
    }
    value = value * kPowers[digits] + EightDigits((word ^ kZeros) << (8 * (8 - digits)));
    at += digits;
  }
  const auto count = static_cast<size_t>(at - cursor.at);
  cursor.at = at;
  return count;
}

/// Whether a number goes on behind its integer digits.
inline bool ContinuesNumber(char c) { return c == '.' || c == 'e' || c == 'E'; }

}  // namespace millrace::json
