#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/data/text_format_error.h"

namespace millrace {

using internal::TextCursor;

namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kSaturated = 1'000'000;

struct CivilDate {
  int32_t year;
  uint32_t month;
  uint32_t day;
};

bool IsLeapYear(int32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

uint32_t DaysInMonth(int32_t year, uint32_t month) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

bool IsValidDate(int32_t year, uint32_t month, uint32_t day) {
  return year >= 1 && year <= 9999 && month - 1 < 12 && day - 1 < DaysInMonth(year, month);
}

/// Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days.
CivilDate CivilFromDays(int32_t days) {
  const int32_t shifted = days + 719'468;
  const int32_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const auto day_of_era = static_cast<uint32_t>(shifted - era * 146'097);
  const uint32_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t shifted_month = (5 * day_of_year + 2) / 153;
  const uint32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {.year = static_cast<int32_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

/// Rounds decimal digits behind the point to microseconds, half to even.
int64_t FractionMicros(std::string_view digits) {
  int64_t micros = 0;
  for (size_t i = 0; i < 6; ++i) {
    micros = micros * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  }
  if (digits.size() <= 6 || digits[6] < '5') {
    return micros;
  }
  const bool above_half =
      digits[6] > '5' || digits.substr(7).find_first_not_of('0') != std::string_view::npos;
  return micros + (above_half ? 1 : micros % 2);
}

ScanOutcome CheckedMicros(int64_t value, Micros& out) {
  if (value < kTimestampMin || value > kTimestampMax) {
    return ScanOutcome::kOutOfRange;
  }
  out = value;
  return ScanOutcome::kOk;
}

/// Reads exactly YYYY-MM-DD[T ]HH:MM:SS[.f{1,9}]Z with fields in range; anything else is left to
/// the general reader. One pass without a branch per digit.
bool ScanCommonTimestamp(std::string_view text, Micros& out) {
  if (text.size() < 20 || text.size() > 30 || text.back() != 'Z') {
    return false;
  }
  const char* p = text.data();
  uint32_t bad = 0;
  const auto two = [&](size_t at) {
    const auto tens = static_cast<uint32_t>(static_cast<unsigned char>(p[at]) - '0');
    const auto ones = static_cast<uint32_t>(static_cast<unsigned char>(p[at + 1]) - '0');
    bad |= static_cast<uint32_t>(tens > 9) | static_cast<uint32_t>(ones > 9);
    return tens * 10 + ones;
  };
  const uint32_t year = two(0) * 100 + two(2);
  const uint32_t month = two(5);
  const uint32_t day = two(8);
  const uint32_t hour = two(11);
  const uint32_t minute = two(14);
  const uint32_t second = two(17);
  bad |= static_cast<uint32_t>(p[4] != '-') | static_cast<uint32_t>(p[7] != '-') |
         static_cast<uint32_t>(p[10] != 'T' && p[10] != ' ') | static_cast<uint32_t>(p[13] != ':') |
         static_cast<uint32_t>(p[16] != ':') | static_cast<uint32_t>(hour > 23) |
         static_cast<uint32_t>(minute > 59) | static_cast<uint32_t>(second > 59);
  if (bad != 0 || !IsValidDate(static_cast<int32_t>(year), month, day)) {
    return false;
  }
  int64_t micros = 0;
  if (text.size() > 20) {
    const std::string_view digits = text.substr(20, text.size() - 21);
    if (p[19] != '.' || digits.empty() || !std::ranges::all_of(digits, internal::IsDigit)) {
      return false;
    }
    micros = FractionMicros(digits);
  }
  const int64_t seconds = int64_t{hour} * 3600 + int64_t{minute} * 60 + second;
  const int64_t days = DaysFromCivil(static_cast<int32_t>(year), month, day);
  return CheckedMicros((days * kSecondsPerDay + seconds) * kMicrosPerSecond + micros, out) ==
         ScanOutcome::kOk;
}

ScanOutcome ScanDatePart(TextCursor& cursor, int64_t& days) {
  const std::string_view year = cursor.TakeDigits();
  if (year.size() < 4 || !cursor.Take('-')) {
    return ScanOutcome::kInvalid;
  }
  const std::string_view month = cursor.TakeDigits();
  if (month.empty() || month.size() > 2 || !cursor.Take('-')) {
    return ScanOutcome::kInvalid;
  }
  const std::string_view day = cursor.TakeDigits();
  if (day.empty() || day.size() > 2) {
    return ScanOutcome::kInvalid;
  }
  const auto y = static_cast<int32_t>(internal::DigitsValue(year, kSaturated));
  const auto m = static_cast<uint32_t>(internal::DigitsValue(month, kSaturated));
  const auto d = static_cast<uint32_t>(internal::DigitsValue(day, kSaturated));
  if (!IsValidDate(y, m, d)) {
    return ScanOutcome::kOutOfRange;
  }
  days = DaysFromCivil(y, m, d);
  return ScanOutcome::kOk;
}

/// Reads HH:MM[:SS[.f]] into microseconds of the day.
ScanOutcome ScanTimeOfDay(TextCursor& cursor, int64_t& micros) {
  const std::string_view hours = cursor.TakeDigits();
  if (hours.empty() || hours.size() > 2 || !cursor.Take(':')) {
    return ScanOutcome::kInvalid;
  }
  const std::string_view minutes = cursor.TakeDigits();
  if (minutes.size() != 2) {
    return ScanOutcome::kInvalid;
  }
  int64_t second = 0;
  int64_t fraction = 0;
  if (cursor.Take(':')) {
    const std::string_view seconds = cursor.TakeDigits();
    if (seconds.size() != 2) {
      return ScanOutcome::kInvalid;
    }
    second = internal::DigitsValue(seconds, kSaturated);
    if (cursor.Take('.')) {
      const std::string_view digits = cursor.TakeDigits();
      if (digits.empty()) {
        return ScanOutcome::kInvalid;
      }
      fraction = FractionMicros(digits);
    }
  }
  const int64_t hour = internal::DigitsValue(hours, kSaturated);
  const int64_t minute = internal::DigitsValue(minutes, kSaturated);
  micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return hour > 24 || minute > 59 || second > 60 || (hour == 24 && micros > kMicrosPerDay)
             ? ScanOutcome::kOutOfRange
             : ScanOutcome::kOk;
}

/// Reads nothing, 'Z', 'UTC', 'GMT' or +hh[[:]mm[:ss]] up to the end of the text.
ScanOutcome ScanZone(TextCursor& cursor, int64_t& offset_seconds) {
  offset_seconds = 0;
  cursor.SkipSpace();
  if (cursor.done()) {
    return ScanOutcome::kOk;
  }
  if (internal::IsLetter(cursor.Peek())) {
    const std::string_view name = cursor.TakeLetters();
    const bool utc = internal::EqualsIgnoreCase(name, "z") ||
                     internal::EqualsIgnoreCase(name, "utc") ||
                     internal::EqualsIgnoreCase(name, "gmt");
    return utc && cursor.done() ? ScanOutcome::kOk : ScanOutcome::kInvalid;
  }
  const bool negative = cursor.Peek() == '-';
  if (!cursor.Take('+') && !cursor.Take('-')) {
    return ScanOutcome::kInvalid;
  }
  std::string_view hours = cursor.TakeDigits();
  std::string_view minutes;
  std::string_view seconds;
  if (hours.size() == 4) {
    minutes = hours.substr(2);
    hours = hours.substr(0, 2);
  } else if (cursor.Take(':')) {
    minutes = cursor.TakeDigits();
    if (minutes.size() != 2 || (cursor.Take(':') && (seconds = cursor.TakeDigits()).size() != 2)) {
      return ScanOutcome::kInvalid;
    }
  }
  if (hours.empty() || hours.size() > 2 || !cursor.done()) {
    return ScanOutcome::kInvalid;
  }
  const int64_t h = internal::DigitsValue(hours, kSaturated);
  const int64_t m = internal::DigitsValue(minutes, kSaturated);
  const int64_t s = internal::DigitsValue(seconds, kSaturated);
  if (h > 15 || m > 59 || s > 59) {
    return ScanOutcome::kOutOfRange;
  }
  offset_seconds = (h * 60 + m) * 60 + s;
  offset_seconds = negative ? -offset_seconds : offset_seconds;
  return ScanOutcome::kOk;
}

struct LocalTimestamp {
  int64_t days = 0;
  int64_t micros_of_day = 0;
  int64_t offset_seconds = 0;
};

ScanOutcome ScanLocalTimestamp(std::string_view text, LocalTimestamp& local) {
  TextCursor cursor(internal::TrimSpace(text));
  if (const auto date = ScanDatePart(cursor, local.days); date != ScanOutcome::kOk) {
    return date;
  }
  if (cursor.Take('T') || cursor.Take('t') || internal::IsSpace(cursor.Peek())) {
    cursor.SkipSpace();
    if (internal::IsDigit(cursor.Peek())) {
      const auto time = ScanTimeOfDay(cursor, local.micros_of_day);
      if (time != ScanOutcome::kOk) {
        return time;
      }
    }
  }
  return ScanZone(cursor, local.offset_seconds);
}

/// Writes `digits` decimal digits of `value`, zero-padded.
char* WriteDigits(char* out, uint32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

char* WriteDate(char* out, int32_t days) {
  const CivilDate date = CivilFromDays(days);
  out = WriteDigits(out, static_cast<uint32_t>(date.year), 4);
  *out++ = '-';
  out = WriteDigits(out, date.month, 2);
  *out++ = '-';
  return WriteDigits(out, date.day, 2);
}

}  // namespace

/// Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil.
int32_t DaysFromCivil(int32_t year, uint32_t month, uint32_t day) {
  year -= month <= 2 ? 1 : 0;
  const int32_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<uint32_t>(year - era * 400);
  const uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<int32_t>(day_of_era) - 719'468;
}

ScanOutcome ScanTimestamptz(std::string_view text, Micros& out) {
  if (ScanCommonTimestamp(text, out)) {
    return ScanOutcome::kOk;
  }
  LocalTimestamp local;
  if (const auto scanned = ScanLocalTimestamp(text, local); scanned != ScanOutcome::kOk) {
    return scanned;
  }
  return CheckedMicros(
      local.days * kMicrosPerDay + local.micros_of_day - local.offset_seconds * kMicrosPerSecond,
      out);
}

Result<Micros> ParseTimestamptz(std::string_view text) {
  Micros value = 0;
  const ScanOutcome outcome = ScanTimestamptz(text, value);
  MR_TRY(internal::DatetimeStatus(outcome, "timestamptz", text));
  return value;
}

ScanOutcome ScanTimestamp(std::string_view text, Micros& out) {
  LocalTimestamp local;
  if (const auto scanned = ScanLocalTimestamp(text, local); scanned != ScanOutcome::kOk) {
    return scanned;
  }
  return CheckedMicros(local.days * kMicrosPerDay + local.micros_of_day, out);
}

Result<Micros> ParseTimestamp(std::string_view text) {
  Micros value = 0;
  const ScanOutcome outcome = ScanTimestamp(text, value);
  MR_TRY(internal::DatetimeStatus(outcome, "timestamp", text));
  return value;
}

void AppendTimestamp(std::string& out, Micros value) {
  value = std::clamp(value, kTimestampMin, kTimestampMax);
  int64_t days = value / kMicrosPerDay;
  int64_t rest = value % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const auto micros = static_cast<uint32_t>(rest % kMicrosPerSecond);
  const auto seconds = static_cast<uint32_t>(rest / kMicrosPerSecond);
  char buffer[32];
  char* at = WriteDate(buffer, static_cast<int32_t>(days));
  *at++ = 'T';
  at = WriteDigits(at, seconds / 3600, 2);
  *at++ = ':';
  at = WriteDigits(at, seconds / 60 % 60, 2);
  *at++ = ':';
  at = WriteDigits(at, seconds % 60, 2);
  if (micros != 0) {
    *at++ = '.';
    at = micros % 1000 == 0 ? WriteDigits(at, micros / 1000, 3) : WriteDigits(at, micros, 6);
  }
  out.append(buffer, static_cast<size_t>(at - buffer));
}

void AppendTimestamptz(std::string& out, Micros value) {
  AppendTimestamp(out, value);
  out += 'Z';
}

std::string FormatTimestamptz(Micros value) {
  std::string out;
  AppendTimestamptz(out, value);
  return out;
}

ScanOutcome ScanDate(std::string_view text, int32_t& out) {
  LocalTimestamp local;
  if (const auto scanned = ScanLocalTimestamp(text, local); scanned != ScanOutcome::kOk) {
    return scanned;
  }
  out = static_cast<int32_t>(local.days);
  return ScanOutcome::kOk;
}

Result<int32_t> ParseDate(std::string_view text) {
  int32_t value = 0;
  const ScanOutcome outcome = ScanDate(text, value);
  MR_TRY(internal::DatetimeStatus(outcome, "date", text));
  return value;
}

void AppendDate(std::string& out, int32_t days) {
  char buffer[16];
  const char* end = WriteDate(buffer, std::clamp(days, kDateMin, kDateMax));
  out.append(buffer, static_cast<size_t>(end - buffer));
}

std::string FormatDate(int32_t days) {
  std::string out;
  AppendDate(out, days);
  return out;
}

}  // namespace millrace
