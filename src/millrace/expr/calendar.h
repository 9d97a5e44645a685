#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "millrace/data/types.h"

namespace millrace::internal {

/// A date of the proleptic Gregorian calendar.
struct CivilDate {
  int32_t year = 0;
  uint32_t month = 0;  ///< 1..12
  uint32_t day = 0;    ///< 1..31
};

/// The inverse of DaysFromCivil.
CivilDate CivilFromDays(int32_t days);
uint32_t DaysInMonth(int32_t year, uint32_t month);

/// Days since 1970-01-01 and microseconds of that day, of a time before or after it.
int32_t DayOf(Micros at);
Micros TimeOfDay(Micros at);
/// 0 = Sunday.
int32_t DayOfWeek(int32_t days);
/// 1 = Monday, 7 = Sunday.
int32_t IsoDayOfWeek(int32_t days);
/// From 1.
int32_t DayOfYear(int32_t days);
/// The ISO 8601 week of a day, from 1, and the year that this week belongs to.
int32_t IsoWeek(int32_t days);
int32_t IsoYear(int32_t days);
/// The Monday of week 1.
int32_t IsoYearStart(int32_t year);

/// Adds months (to the last day of the month where the day does not exist), then days, then time,
/// all in UTC. None out of the range of timestamptz.
std::optional<Micros> AddInterval(Micros at, const Interval& interval);

/// The years, months, days and time from `b` to `a` as one counts on a calendar: PostgreSQL's
/// age().
Interval Age(Micros a, Micros b);

/// The units of date_trunc and extract, in PostgreSQL's spellings.
enum class TimeUnit : uint8_t {
  kMicroseconds,
  kMilliseconds,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kEpoch,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kIsoYear,
};
std::optional<TimeUnit> ParseTimeUnit(std::string_view name);

/// The start of the unit that holds `at`; none for units that date_trunc does not take.
std::optional<Micros> TruncateTime(TimeUnit unit, Micros at);

/// A field of a time in UTC, in millionths.
Int128 ExtractField(TimeUnit unit, Micros at);
/// A field of an interval, in millionths; none for units that intervals do not have.
std::optional<Int128> ExtractField(TimeUnit unit, const Interval& interval);

}  // namespace millrace::internal
