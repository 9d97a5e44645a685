#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "millrace/codec/json_digits.h"
#include "millrace/codec/local_time.h"
#include "millrace/codec/timestamp_format.h"

namespace millrace {

/// Reads timestamps of one format and zone, fast where they look alike: it remembers the date of
/// the last one, and the zone's offset around it. Not thread-safe; owned by a decoder.
class TimestampReader {
 public:
  /// `zone`: of texts that name none.
  TimestampReader(TimestampFormat format, const LocalTime& zone);

  /// Whether numbers, not texts, are timestamps.
  bool takes_numbers() const { return format_.kind() == TimestampFormat::Kind::kEpoch; }

  /// Reads a text with the date of the last one, in the usual columns. False for any other, which
  /// may be fine all the same; `out` is then undefined.
  bool ScanOfLastDate(std::string_view text, Micros& out) const;

  ScanOutcome Scan(std::string_view text, Micros& out);

 private:
  static constexpr size_t kDateBytes = 11;  ///< yyyy-MM-dd and the separator.
  static constexpr size_t kSecondsEnd = 19;

  Micros ToUtc(Micros local);
  void RememberDate(std::string_view text);

  TimestampFormat format_;
  LocalTime zone_;
  TimestampFormat::Columns columns_;
  char last_date_[16] = {};  ///< Empty where the format has no usual columns.
  Micros last_midnight_ = 0;
  LocalTime::Span span_;  ///< Around the last text without a zone; all time for UTC.
};

inline bool TimestampReader::ScanOfLastDate(std::string_view text, Micros& out) const {
  const char* const p = text.data();
  if (text.size() < kSecondsEnd || std::memcmp(p, last_date_, kDateBytes) != 0) {
    return false;
  }
  // HH:mm:ss, the first character in the lowest byte: digits become 0..9 and colons 0.
  uint64_t word;
  std::memcpy(&word, p + kDateBytes, sizeof(word));
  word ^= 0x30303A30303A3030;
  constexpr uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
  uint64_t bad = (word | (word + 0x06060F06060F0606)) & kHigh;
  const auto two = [&](int at) {
    return static_cast<uint32_t>((word >> (8 * at)) & 0xFF) * 10 +
           static_cast<uint32_t>((word >> (8 * at + 8)) & 0xFF);
  };
  const uint32_t hour = two(0);
  const uint32_t minute = two(3);
  const uint32_t second = two(6);
  bad |= static_cast<uint64_t>(hour > 23) | static_cast<uint64_t>(minute > 59) |
         static_cast<uint64_t>(second > 59);
  const bool has_z = text.back() == 'Z';
  const size_t end = text.size() - (has_z ? 1 : 0);
  uint64_t micros = 0;
  if (end == kSecondsEnd) {
    bad |= static_cast<uint64_t>(!columns_.fraction_may_miss);
  } else {
    const size_t digits = end - kSecondsEnd - 1;
    if (digits < columns_.fraction_digits_min || digits > columns_.fraction_digits_max ||
        p[kSecondsEnd] != '.') {
      return false;
    }
    constexpr std::array<uint32_t, 7> kScale = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
    std::memcpy(&word, p + end - sizeof(word), sizeof(word));
    word = (word ^ 0x3030303030303030) & (~uint64_t{0} << (8 * (8 - digits)));
    bad |= (word | (word + 0x0606060606060606)) & kHigh;
    micros = json::EightDigits(word) * kScale[digits];
  }
  const Micros value = last_midnight_ +
                       (int64_t{hour} * 3600 + int64_t{minute} * 60 + second) * kMicrosPerSecond +
                       static_cast<int64_t>(micros);
  if (has_z) {
    out = value;
    return bad == 0 && columns_.zone_may_be_z;
  }
  out = value - span_.offset;
  return bad == 0 && columns_.zone_may_miss && value >= span_.begin && value < span_.end;
}

}  // namespace millrace
