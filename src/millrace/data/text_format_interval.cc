#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/data/text_format_error.h"

namespace millrace {

using internal::TextCursor;

namespace {

constexpr int64_t kNano = 1'000'000'000;
constexpr int64_t kDaysPerMonth = 30;
constexpr int64_t kMonthsPerYear = 12;
constexpr int64_t kWholeMax = std::numeric_limits<int64_t>::max() / 100;
constexpr Micros kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr Micros kMicrosPerHour = 60 * kMicrosPerMinute;

/// What one unit is worth; exactly one of the fields is not zero.
struct Unit {
  std::string_view name;
  int64_t months = 0;
  int64_t days = 0;
  Micros micros = 0;
};

constexpr auto kUnits = std::to_array<Unit>({
    {.name = "us", .micros = 1},
    {.name = "usec", .micros = 1},
    {.name = "microsecond", .micros = 1},
    {.name = "ms", .micros = 1000},
    {.name = "msec", .micros = 1000},
    {.name = "millisecond", .micros = 1000},
    {.name = "s", .micros = kMicrosPerSecond},
    {.name = "sec", .micros = kMicrosPerSecond},
    {.name = "second", .micros = kMicrosPerSecond},
    {.name = "m", .micros = kMicrosPerMinute},
    {.name = "min", .micros = kMicrosPerMinute},
    {.name = "minute", .micros = kMicrosPerMinute},
    {.name = "h", .micros = kMicrosPerHour},
    {.name = "hr", .micros = kMicrosPerHour},
    {.name = "hour", .micros = kMicrosPerHour},
    {.name = "d", .days = 1},
    {.name = "day", .days = 1},
    {.name = "w", .days = 7},
    {.name = "week", .days = 7},
    {.name = "mon", .months = 1},
    {.name = "month", .months = 1},
    {.name = "y", .months = kMonthsPerYear},
    {.name = "yr", .months = kMonthsPerYear},
    {.name = "year", .months = kMonthsPerYear},
    {.name = "decade", .months = 10 * kMonthsPerYear},
    {.name = "century", .months = 100 * kMonthsPerYear},
    {.name = "centurie", .months = 100 * kMonthsPerYear},
    {.name = "millennium", .months = 1000 * kMonthsPerYear},
});

const Unit* FindUnit(std::string_view word) {
  for (const Unit& unit : kUnits) {
    const bool plural =
        word.size() == unit.name.size() + 1 && internal::ToLower(word.back()) == 's';
    if (internal::EqualsIgnoreCase(word.substr(0, word.size() - (plural ? 1 : 0)), unit.name)) {
      return &unit;
    }
  }
  return nullptr;
}

/// A decimal quantity: whole + nano * 10^-9, both of one sign.
struct Quantity {
  int64_t whole = 0;
  int64_t nano = 0;
};

/// Sums parts in 128 bits, so that no hostile text overflows before the range check.
class IntervalSum {
 public:
  void Add(const Quantity& quantity, const Unit& unit) {
    if (unit.months != 0) {
      AddMonths(quantity, unit.months);
    } else if (unit.days != 0) {
      AddDays(quantity, unit.days);
    } else {
      micros_ +=
          Int128{quantity.whole} * unit.micros + Divided(Int128{quantity.nano} * unit.micros);
    }
  }

  void Negate() {
    months_ = -months_;
    days_ = -days_;
    micros_ = -micros_;
  }

  ScanOutcome Finish(Interval& out) const {
    constexpr Int128 kInt32Max = std::numeric_limits<int32_t>::max();
    constexpr Int128 kInt64Max = std::numeric_limits<int64_t>::max();
    const auto beyond = [](Int128 value, Int128 limit) { return value > limit || value < -limit; };
    if (beyond(months_, kInt32Max) || beyond(days_, kInt32Max) || beyond(micros_, kInt64Max)) {
      return ScanOutcome::kOutOfRange;
    }
    out = {.months = static_cast<int32_t>(months_),
           .days = static_cast<int32_t>(days_),
           .micros = static_cast<Micros>(micros_)};
    return ScanOutcome::kOk;
  }

 private:
  /// Rounds to the nearest, half away from zero.
  static Int128 Divided(Int128 value) {
    const Int128 half = value < 0 ? -kNano / 2 : kNano / 2;
    return (value + half) / kNano;
  }

  /// A fraction of a month becomes days of 30 per month and time; of a year, whole months.
  void AddMonths(const Quantity& quantity, int64_t months) {
    months_ += Int128{quantity.whole} * months;
    if (months > 1) {
      months_ += Divided(Int128{quantity.nano} * months);
      return;
    }
    AddDays({.whole = 0, .nano = quantity.nano}, kDaysPerMonth);
  }

  void AddDays(const Quantity& quantity, int64_t days) {
    const Int128 nano_days = Int128{quantity.nano} * days;
    days_ += Int128{quantity.whole} * days + nano_days / kNano;
    micros_ += Divided(nano_days % kNano * kMicrosPerDay);
  }

  Int128 months_ = 0;
  Int128 days_ = 0;
  Int128 micros_ = 0;
};

/// Reads an unsigned decimal number; digits from the tenth behind the point on are dropped.
bool ScanQuantity(TextCursor& cursor, bool negative, Quantity& out) {
  const std::string_view whole = cursor.TakeDigits();
  std::string_view fraction;
  if (cursor.Take('.')) {
    fraction = cursor.TakeDigits();
  }
  if (whole.empty() && fraction.empty()) {
    return false;
  }
  out.whole = internal::DigitsValue(whole, kWholeMax);
  out.nano = 0;
  for (size_t i = 0; i < 9; ++i) {
    out.nano = out.nano * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  if (negative) {
    out.whole = -out.whole;
    out.nano = -out.nano;
  }
  return true;
}

/// Reads the rest of H:MM[:SS[.f]]; the hours are in `hours`, the cursor is behind the first colon.
bool ScanClock(TextCursor& cursor, const Quantity& hours, bool negative, IntervalSum& sum) {
  Quantity minutes;
  Quantity seconds;
  if (!internal::IsDigit(cursor.Peek()) || !ScanQuantity(cursor, negative, minutes)) {
    return false;
  }
  if (cursor.Take(':') &&
      (!internal::IsDigit(cursor.Peek()) || !ScanQuantity(cursor, negative, seconds))) {
    return false;
  }
  if (hours.nano != 0 || minutes.nano != 0 || std::abs(minutes.whole) > 59 ||
      std::abs(seconds.whole) > 59) {
    return false;
  }
  sum.Add(hours, *FindUnit("hour"));
  sum.Add(minutes, *FindUnit("minute"));
  sum.Add(seconds, *FindUnit("second"));
  return true;
}

/// Reads one of: 12 hours, 04:05:06, 1-2, 30.
bool ScanVerbosePart(TextCursor& cursor, IntervalSum& sum) {
  const bool negative = cursor.Take('-');
  if (!negative) {
    cursor.Take('+');
  }
  Quantity quantity;
  if (!ScanQuantity(cursor, negative, quantity)) {
    return false;
  }
  if (cursor.Take(':')) {
    return ScanClock(cursor, quantity, negative, sum);
  }
  if (cursor.Take('-')) {
    Quantity months;
    if (quantity.nano != 0 || !ScanQuantity(cursor, negative, months) || months.nano != 0 ||
        std::abs(months.whole) >= kMonthsPerYear) {
      return false;
    }
    sum.Add(quantity, *FindUnit("year"));
    sum.Add(months, *FindUnit("month"));
    return cursor.done() || cursor.Peek() == ' ';
  }
  cursor.SkipSpace();
  if (!internal::IsLetter(cursor.Peek())) {
    sum.Add(quantity, *FindUnit("second"));
    return cursor.done();
  }
  const Unit* unit = FindUnit(cursor.TakeLetters());
  if (unit == nullptr) {
    return false;
  }
  sum.Add(quantity, *unit);
  return true;
}

bool ScanVerbose(TextCursor& cursor, IntervalSum& sum) {
  cursor.Take('@');
  cursor.SkipSpace();
  bool any = false;
  while (!cursor.done()) {
    if (any && internal::EqualsIgnoreCase(cursor.rest(), "ago")) {
      sum.Negate();
      return true;
    }
    if (!ScanVerbosePart(cursor, sum)) {
      return false;
    }
    any = true;
    cursor.SkipSpace();
  }
  return any;
}

std::string_view IsoUnit(char designator, bool in_time) {
  switch (designator) {
    case 'Y':
      return in_time ? "" : "year";
    case 'M':
      return in_time ? "minute" : "month";
    case 'W':
      return in_time ? "" : "week";
    case 'D':
      return in_time ? "" : "day";
    case 'H':
      return in_time ? "hour" : "";
    case 'S':
      return in_time ? "second" : "";
    default:
      return "";
  }
}

/// Reads what follows the P of ISO 8601: 1Y2M3W4DT5H6M7.8S.
bool ScanIso(TextCursor& cursor, IntervalSum& sum) {
  bool in_time = false;
  bool any = false;
  while (!cursor.done()) {
    if (cursor.Take('T')) {
      if (in_time || cursor.done()) {
        return false;
      }
      in_time = true;
      continue;
    }
    const bool negative = cursor.Take('-');
    Quantity quantity;
    if (!ScanQuantity(cursor, negative, quantity)) {
      return false;
    }
    const std::string_view unit = IsoUnit(cursor.Peek(), in_time);
    if (cursor.done() || unit.empty()) {
      return false;
    }
    cursor.Skip();
    sum.Add(quantity, *FindUnit(unit));
    any = true;
  }
  return any;
}

}  // namespace

ScanOutcome ScanInterval(std::string_view text, Interval& out) {
  TextCursor cursor(internal::TrimSpace(text));
  IntervalSum sum;
  const bool valid = cursor.Take('P') ? ScanIso(cursor, sum) : ScanVerbose(cursor, sum);
  return valid ? sum.Finish(out) : ScanOutcome::kInvalid;
}

Result<Interval> ParseInterval(std::string_view text) {
  Interval value;
  const ScanOutcome outcome = ScanInterval(text, value);
  MR_TRY(internal::DatetimeStatus(outcome, "interval", text));
  return value;
}

void AppendInterval(std::string& out, const Interval& value) {
  bool first = true;
  bool before = false;
  const auto part = [&](int32_t count, std::string_view unit) {
    if (count == 0) {
      return;
    }
    fmt::format_to(std::back_inserter(out), "{}{}{} {}{}", first ? "" : " ",
                   before && count > 0 ? "+" : "", count, unit, count == 1 ? "" : "s");
    before = count < 0;
    first = false;
  };
  part(value.months / static_cast<int32_t>(kMonthsPerYear), "year");
  part(value.months % static_cast<int32_t>(kMonthsPerYear), "mon");
  part(value.days, "day");
  if (!first && value.micros == 0) {
    return;
  }
  const std::string_view sign = value.micros < 0 ? "-" : (before ? "+" : "");
  const auto rest = value.micros < 0 ? uint64_t{0} - static_cast<uint64_t>(value.micros)
                                     : static_cast<uint64_t>(value.micros);
  const uint64_t seconds = rest / kMicrosPerSecond;
  fmt::format_to(std::back_inserter(out), "{}{}{:02}:{:02}:{:02}", first ? "" : " ", sign,
                 seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const uint64_t micros = rest % kMicrosPerSecond; micros != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", micros);
    out.erase(out.find_last_not_of('0') + 1);
  }
}

std::string FormatInterval(const Interval& value) {
  std::string out;
  AppendInterval(out, value);
  return out;
}

}  // namespace millrace
