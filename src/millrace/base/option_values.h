#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace {

// The types that members of option structs have; each has one text form (options.h).

/// A number of bytes: "64 MiB", "1 GB", "4096".
struct ByteSize {
  int64_t bytes = 0;

  friend constexpr auto operator<=>(ByteSize, ByteSize) = default;
};

/// A length of time: "5 s", "5 seconds", "100ms", "1h 30min".
using Duration = std::chrono::microseconds;

/// Text that is never shown: password, token.
struct Secret {
  std::string value;

  friend bool operator==(const Secret&, const Secret&) = default;
};

/// What a secret prints as.
inline constexpr std::string_view kSecretDots = "......";

/// All fail with kConfigInvalidValue and a message that says what is accepted.
Result<bool> ParseOptionBool(std::string_view text);
Result<int64_t> ParseOptionInteger(std::string_view text);
/// A finite decimal number, perhaps with an exponent.
Result<double> ParseOptionNumber(std::string_view text);
Result<ByteSize> ParseByteSize(std::string_view text);
Result<Duration> ParseDuration(std::string_view text);
/// Splits at commas and trims; empty text is an empty list.
std::vector<std::string> ParseOptionList(std::string_view text);

/// The largest unit that divides the value: "64 MiB", "1500 ms".
std::string FormatByteSize(ByteSize size);
std::string FormatDuration(Duration duration);

}  // namespace millrace
