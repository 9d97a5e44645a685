#include "millrace/expr/calendar.h"

#include <algorithm>
#include <string>

#include "millrace/data/text_format.h"

namespace millrace::internal {

namespace {

constexpr int32_t kMonthsPerYear = 12;
constexpr Micros kMinute = 60 * kMicrosPerSecond;
constexpr Micros kHour = 60 * kMinute;
constexpr Int128 kMillion = 1'000'000;

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Micros StartOfDay(int32_t year, uint32_t month) {
  return DaysFromCivil(year, month, 1) * kMicrosPerDay;
}

int32_t Century(int32_t year) { return (year + 99) / 100; }

/// Fields that are made of the time of day only.
std::optional<Int128> TimeField(TimeUnit unit, Micros time) {
  switch (unit) {
    case TimeUnit::kMicroseconds:
      return Int128{time % kMinute} * kMillion;
    case TimeUnit::kMilliseconds:
      return Int128{time % kMinute} * 1000;
    case TimeUnit::kSecond:
      return time % kMinute;
    case TimeUnit::kMinute:
      return time % kHour / kMinute * kMillion;
    case TimeUnit::kHour:
      return time / kHour * kMillion;
    default:
      return std::nullopt;
  }
}

int32_t DateField(TimeUnit unit, int32_t days) {
  const CivilDate date = CivilFromDays(days);
  switch (unit) {
    case TimeUnit::kDay:
      return static_cast<int32_t>(date.day);
    case TimeUnit::kWeek:
      return IsoWeek(days);
    case TimeUnit::kMonth:
      return static_cast<int32_t>(date.month);
    case TimeUnit::kQuarter:
      return static_cast<int32_t>((date.month - 1) / 3 + 1);
    case TimeUnit::kDecade:
      return date.year / 10;
    case TimeUnit::kCentury:
      return Century(date.year);
    case TimeUnit::kMillennium:
      return (date.year + 999) / 1000;
    case TimeUnit::kDayOfWeek:
      return DayOfWeek(days);
    case TimeUnit::kIsoDayOfWeek:
      return IsoDayOfWeek(days);
    case TimeUnit::kDayOfYear:
      return DayOfYear(days);
    case TimeUnit::kIsoYear:
      return IsoYear(days);
    default:
      return date.year;
  }
}

}  // namespace

// days_from_civil's inverse, https://howardhinnant.github.io/date_algorithms.html#civil_from_days
CivilDate CivilFromDays(int32_t days) {
  const int32_t z = days + 719'468;
  const int32_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const auto doe = static_cast<uint32_t>(z - era * 146'097);
  const uint32_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const uint32_t mp = (5 * doy + 2) / 153;
  const uint32_t month = mp < 10 ? mp + 3 : mp - 9;
  const int32_t year = static_cast<int32_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, doy - (153 * mp + 2) / 5 + 1};
}

uint32_t DaysInMonth(int32_t year, uint32_t month) {
  constexpr uint32_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

int32_t DayOf(Micros at) { return static_cast<int32_t>(FloorDivide(at, kMicrosPerDay)); }

Micros TimeOfDay(Micros at) { return at - DayOf(at) * kMicrosPerDay; }

int32_t DayOfWeek(int32_t days) {
  constexpr int32_t kThursday = 4;  // 1970-01-01
  return ((days + kThursday) % 7 + 7) % 7;
}

int32_t IsoDayOfWeek(int32_t days) { return (DayOfWeek(days) + 6) % 7 + 1; }

int32_t DayOfYear(int32_t days) { return days - DaysFromCivil(CivilFromDays(days).year, 1, 1) + 1; }

// The Thursday of a day's ISO week decides the week's year.

int32_t IsoWeek(int32_t days) { return (DayOfYear(days - IsoDayOfWeek(days) + 4) - 1) / 7 + 1; }

int32_t IsoYear(int32_t days) { return CivilFromDays(days - IsoDayOfWeek(days) + 4).year; }

int32_t IsoYearStart(int32_t year) {
  const int32_t fourth = DaysFromCivil(year, 1, 4);
  return fourth - IsoDayOfWeek(fourth) + 1;
}

Interval Age(Micros a, Micros b) {
  // timestamptz_age of PostgreSQL 15: the difference of the fields, where those that are negative
  // borrow from the next, days from the month of the earlier time.
  const bool negative = a < b;
  const CivilDate later = CivilFromDays(DayOf(negative ? b : a));
  const CivilDate earlier = CivilFromDays(DayOf(negative ? a : b));
  Micros time = TimeOfDay(negative ? b : a) - TimeOfDay(negative ? a : b);
  auto days = static_cast<int32_t>(later.day) - static_cast<int32_t>(earlier.day);
  int32_t months = (later.year - earlier.year) * kMonthsPerYear +
                   static_cast<int32_t>(later.month) - static_cast<int32_t>(earlier.month);
  if (time < 0) {
    time += kMicrosPerDay;
    --days;
  }
  while (days < 0) {
    days += static_cast<int32_t>(DaysInMonth(earlier.year, earlier.month));
    --months;
  }
  return negative ? Interval{-months, -days, -time} : Interval{months, days, time};
}

std::optional<Micros> AddInterval(Micros at, const Interval& interval) {
  Int128 days = DayOf(at);
  if (interval.months != 0) {
    const CivilDate date = CivilFromDays(DayOf(at));
    const int64_t months = int64_t{date.year} * kMonthsPerYear + date.month - 1 + interval.months;
    const int64_t year = FloorDivide(months, kMonthsPerYear);
    if (year < 1 || year > 9999) {
      return std::nullopt;
    }
    const auto month = static_cast<uint32_t>(months - year * kMonthsPerYear + 1);
    const uint32_t day = std::min(date.day, DaysInMonth(static_cast<int32_t>(year), month));
    days = DaysFromCivil(static_cast<int32_t>(year), month, day);
  }
  const Int128 sum = (days + interval.days) * kMicrosPerDay + TimeOfDay(at) + interval.micros;
  if (sum < kTimestampMin || sum > kTimestampMax) {
    return std::nullopt;
  }
  return static_cast<Micros>(sum);
}

std::optional<TimeUnit> ParseTimeUnit(std::string_view name) {
  constexpr std::pair<std::string_view, TimeUnit> kUnits[] = {
      {"microsecond", TimeUnit::kMicroseconds},
      {"us", TimeUnit::kMicroseconds},
      {"millisecond", TimeUnit::kMilliseconds},
      {"ms", TimeUnit::kMilliseconds},
      {"second", TimeUnit::kSecond},
      {"minute", TimeUnit::kMinute},
      {"hour", TimeUnit::kHour},
      {"day", TimeUnit::kDay},
      {"week", TimeUnit::kWeek},
      {"month", TimeUnit::kMonth},
      {"quarter", TimeUnit::kQuarter},
      {"year", TimeUnit::kYear},
      {"decade", TimeUnit::kDecade},
      {"century", TimeUnit::kCentury},
      {"centuries", TimeUnit::kCentury},
      {"millennium", TimeUnit::kMillennium},
      {"epoch", TimeUnit::kEpoch},
      {"dow", TimeUnit::kDayOfWeek},
      {"isodow", TimeUnit::kIsoDayOfWeek},
      {"doy", TimeUnit::kDayOfYear},
      {"isoyear", TimeUnit::kIsoYear},
  };
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  for (const auto& [each, unit] : kUnits) {
    if (lower == each || (lower.ends_with('s') && lower.substr(0, lower.size() - 1) == each)) {
      return unit;
    }
  }
  return std::nullopt;
}

std::optional<Micros> TruncateTime(TimeUnit unit, Micros at) {
  const int32_t days = DayOf(at);
  const CivilDate date = CivilFromDays(days);
  switch (unit) {
    case TimeUnit::kMicroseconds:
      return at;
    case TimeUnit::kMilliseconds:
      return FloorDivide(at, 1000) * 1000;
    case TimeUnit::kSecond:
      return FloorDivide(at, kMicrosPerSecond) * kMicrosPerSecond;
    case TimeUnit::kMinute:
      return FloorDivide(at, kMinute) * kMinute;
    case TimeUnit::kHour:
      return FloorDivide(at, kHour) * kHour;
    case TimeUnit::kDay:
      return days * kMicrosPerDay;
    case TimeUnit::kWeek:
      return std::max((days - IsoDayOfWeek(days) + 1) * kMicrosPerDay, kTimestampMin);
    case TimeUnit::kMonth:
      return StartOfDay(date.year, date.month);
    case TimeUnit::kQuarter:
      return StartOfDay(date.year, (date.month - 1) / 3 * 3 + 1);
    case TimeUnit::kYear:
      return StartOfDay(date.year, 1);
    case TimeUnit::kDecade:
      return StartOfDay(std::max(date.year / 10 * 10, 1), 1);
    case TimeUnit::kCentury:
      return StartOfDay((Century(date.year) - 1) * 100 + 1, 1);
    case TimeUnit::kMillennium:
      return StartOfDay((date.year - 1) / 1000 * 1000 + 1, 1);
    default:
      return std::nullopt;
  }
}

Int128 ExtractField(TimeUnit unit, Micros at) {
  if (unit == TimeUnit::kEpoch) {
    return at;
  }
  if (const auto field = TimeField(unit, TimeOfDay(at))) {
    return *field;
  }
  return DateField(unit, DayOf(at)) * kMillion;
}

std::optional<Int128> ExtractField(TimeUnit unit, const Interval& interval) {
  if (const auto field = TimeField(unit, interval.micros)) {
    return field;
  }
  const int32_t years = interval.months / kMonthsPerYear;
  const int32_t months = interval.months % kMonthsPerYear;
  switch (unit) {
    case TimeUnit::kEpoch: {
      // PostgreSQL counts a year as 365.25 days here.
      const Int128 seconds =
          Int128{years} * 31'557'600 + (Int128{months} * 30 + interval.days) * 86'400;
      return seconds * kMillion + interval.micros;
    }
    case TimeUnit::kDay:
      return interval.days * kMillion;
    case TimeUnit::kMonth:
      return months * kMillion;
    case TimeUnit::kQuarter:
      return (months / 3 + 1) * kMillion;
    case TimeUnit::kYear:
      return years * kMillion;
    case TimeUnit::kDecade:
      return years / 10 * kMillion;
    case TimeUnit::kCentury:
      return years / 100 * kMillion;
    case TimeUnit::kMillennium:
      return years / 1000 * kMillion;
    default:
      return std::nullopt;
  }
}

}  // namespace millrace::internal
