#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/types.h"

namespace millrace::internal {

/// A field of a format such as 'YYYY-MM-DD HH24:MI'.
enum class TimeField : uint8_t {
  kAdBc,
  kAmPm,
  kCentury,
  kDay,
  kDayName,
  kDayOfWeek,
  kDayOfYear,
  kExact,  ///< FX.
  kFraction,
  kHour12,
  kHour24,
  kIsoDayOfWeek,
  kIsoDayOfYear,
  kIsoWeek,
  kIsoYear,
  kJulianDay,
  kMicrosecond,
  kMillisecond,
  kMinute,
  kMonth,
  kMonthName,
  kOffset,
  kQuarter,
  kRomanMonth,
  kSecond,
  kSecondOfDay,
  kShortDayName,
  kShortMonthName,
  kWeek,
  kWeekOfMonth,
  kYear,
  kYearWithComma,
  kZoneHours,
  kZoneMinutes,
  kZoneName,
};

enum class LetterCase : uint8_t { kUpper, kCapital, kLower };

/// Which calendar a field counts in; those of one kind do not mix with the other.
enum class DateConvention : uint8_t { kNone, kGregorian, kIsoWeek };

/// One field or one character of a format.
struct TimeFormatNode {
  enum class Kind : uint8_t { kField, kSpace, kSeparator, kCharacter };

  Kind kind = Kind::kCharacter;
  std::string_view text;  ///< As it stands in the format: the field's name, or the character.
  TimeField field = TimeField::kExact;
  uint8_t digits = 0;  ///< The length of the name; for kFraction the digits behind the point.
  LetterCase letter_case = LetterCase::kUpper;
  DateConvention convention = DateConvention::kNone;
  bool is_number = false;
  bool dotted = false;     ///< A.M., B.C.
  bool fill_mode = false;  ///< FM: no padding.
  bool ordinal = false;    ///< TH or th behind it.
  bool lower_ordinal = false;
};

/// A parsed format of to_char, to_timestamp and to_date. Immutable.
/// https://www.postgresql.org/docs/15/functions-formatting.html
class TimeFormat final {
 public:
  /// kInvalidCast for what PostgreSQL has and Millrace has not: TM and SP.
  static Result<TimeFormat> Parse(std::string_view text);

  TimeFormat(TimeFormat&&) noexcept = default;
  TimeFormat& operator=(TimeFormat&&) noexcept = default;

  const std::vector<TimeFormatNode>& nodes() const { return nodes_; }

 private:
  TimeFormat() = default;

  std::unique_ptr<const std::string> text_;  ///< The nodes refer to it.
  std::vector<TimeFormatNode> nodes_;
};

/// What to_char shows: the parts of a time, or of an interval.
struct TimeParts {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t micros = 0;
  int32_t days = 0;  ///< Since 1970, for the calendar fields of times.
  bool is_interval = false;
  bool is_zoned = false;  ///< timestamptz: the zone is UTC.
};

TimeParts PartsOf(Micros at, bool is_zoned);
TimeParts PartsOf(const Interval& span);

/// Appends the parts as the format says. kInvalidCast for a field that intervals do not have.
Status AppendFormatted(std::string& out, const TimeFormat& format, const TimeParts& parts);

/// Reads a time as to_timestamp does. kInvalidCast when the text does not fit the format,
/// kDatetimeOutOfRange when there is no such time.
Result<Micros> ParseFormatted(std::string_view text, const TimeFormat& format);

/// The names that both use.
inline constexpr std::string_view kMonthNames[] = {"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
inline constexpr std::string_view kDayNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};
/// From January on.
inline constexpr std::string_view kRomanMonths[] = {"I",   "II",   "III", "IV", "V",  "VI",
                                                    "VII", "VIII", "IX",  "X",  "XI", "XII"};

}  // namespace millrace::internal
