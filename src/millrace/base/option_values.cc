#include "millrace/base/option_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "millrace/base/int128.h"

namespace millrace {

namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr int64_t kKi = 1024;
constexpr int64_t kSecond = 1'000'000;

constexpr auto kByteUnits = std::to_array<Unit>({{"TiB", kKi* kKi* kKi* kKi},
                                                 {"GiB", kKi* kKi* kKi},
                                                 {"MiB", kKi* kKi},
                                                 {"KiB", kKi},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"MB", 1'000'000},
                                                 {"kB", 1000},
                                                 {"bytes", 1},
                                                 {"B", 1},
                                                 {"", 1}});

constexpr auto kTimeUnits = std::to_array<Unit>({{"d", 86'400 * kSecond},
                                                 {"h", 3600 * kSecond},
                                                 {"min", 60 * kSecond},
                                                 {"s", kSecond},
                                                 {"ms", 1000},
                                                 {"us", 1},
                                                 {"day", 86'400 * kSecond},
                                                 {"days", 86'400 * kSecond},
                                                 {"hour", 3600 * kSecond},
                                                 {"hours", 3600 * kSecond},
                                                 {"m", 60 * kSecond},
                                                 {"mins", 60 * kSecond},
                                                 {"hr", 3600 * kSecond},
                                                 {"hrs", 3600 * kSecond},
                                                 {"secs", kSecond},
                                                 {"week", 7 * 86'400 * kSecond},
                                                 {"weeks", 7 * 86'400 * kSecond},
                                                 {"millisecond", 1000},
                                                 {"microsecond", 1},
                                                 {"minute", 60 * kSecond},
                                                 {"minutes", 60 * kSecond},
                                                 {"sec", kSecond},
                                                 {"second", kSecond},
                                                 {"seconds", kSecond},
                                                 {"milliseconds", 1000},
                                                 {"microseconds", 1}});

/// The units that FormatByteSize and FormatDuration write stand first in their tables.
constexpr size_t kWrittenByteUnits = 4;
constexpr size_t kWrittenTimeUnits = 6;

bool IsSpace(char c) { return c == ' ' || c == '\t'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return ToLower(x) == ToLower(y);
         });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsSpace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::unexpected<Error> Refused(std::string_view wanted, std::string_view text) {
  return Err(ErrorCode::kConfigInvalidValue, fmt::format("{}, got '{}'", wanted, text));
}

/// Takes "12 unit" from the front of `text`. Returns false when there is none or it overflows.
bool TakeQuantity(std::string_view& text, std::span<const Unit> units, int64_t& total) {
  size_t digits = 0;
  int64_t number = 0;
  while (digits < text.size() && IsDigit(text[digits])) {
    ++digits;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (digits == 0 || error != std::errc()) {
    return false;
  }
  text = Trim(text.substr(digits));
  size_t letters = 0;
  while (letters < text.size() && !IsDigit(text[letters]) && !IsSpace(text[letters])) {
    ++letters;
  }
  for (const Unit& unit : units) {
    if (EqualsIgnoreCase(unit.name, text.substr(0, letters))) {
      const Int128 sum = Int128{number} * unit.factor + total;
      if (sum > std::numeric_limits<int64_t>::max()) {
        return false;
      }
      total = static_cast<int64_t>(sum);
      text = Trim(text.substr(letters));
      return true;
    }
  }
  return false;
}

std::string FormatQuantity(int64_t value, std::span<const Unit> units, std::string_view smallest) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return fmt::format("{} {}", value / unit.factor, unit.name);
    }
  }
  return fmt::format("{} {}", value, smallest);
}

}  // namespace

Result<bool> ParseOptionBool(std::string_view text) {
  for (const std::string_view word : {"true", "on", "yes", "1"}) {
    if (EqualsIgnoreCase(text, word)) {
      return true;
    }
  }
  for (const std::string_view word : {"false", "off", "no", "0"}) {
    if (EqualsIgnoreCase(text, word)) {
      return false;
    }
  }
  return Refused("expected true or false", text);
}

Result<int64_t> ParseOptionInteger(std::string_view text) {
  int64_t value = 0;
  const std::string_view trimmed = Trim(text);
  const auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  if (error != std::errc() || end != trimmed.data() + trimmed.size()) {
    return Refused("expected a whole number", text);
  }
  return value;
}

Result<double> ParseOptionNumber(std::string_view text) {
  double value = 0;
  const std::string_view trimmed = Trim(text);
  const auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  if (error != std::errc() || end != trimmed.data() + trimmed.size() || !std::isfinite(value)) {
    return Refused("expected a number", text);
  }
  return value;
}

Result<ByteSize> ParseByteSize(std::string_view text) {
  std::string_view rest = Trim(text);
  ByteSize size;
  if (!TakeQuantity(rest, kByteUnits, size.bytes) || !rest.empty()) {
    return Refused("expected a size such as 64 MiB", text);
  }
  return size;
}

Result<Duration> ParseDuration(std::string_view text) {
  std::string_view rest = Trim(text);
  int64_t micros = 0;
  if (rest == "0") {
    return Duration(0);
  }
  do {
    if (!TakeQuantity(rest, kTimeUnits, micros)) {
      return Refused("expected a time with its unit such as 5 s or 100 ms", text);
    }
  } while (!rest.empty());
  return Duration(micros);
}

std::vector<std::string> ParseOptionList(std::string_view text) {
  std::vector<std::string> items;
  while (!Trim(text).empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    items.emplace_back(Trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string FormatByteSize(ByteSize size) {
  return FormatQuantity(size.bytes, std::span(kByteUnits).first(kWrittenByteUnits), "B");
}

std::string FormatDuration(Duration duration) {
  return FormatQuantity(duration.count(), std::span(kTimeUnits).first(kWrittenTimeUnits), "s");
}

}  // namespace millrace
