#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/calendar.h"
#include "millrace/expr/time_format.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

using Kind = TimeFormatNode::Kind;

constexpr int32_t kJulianOfEpoch = 2'440'588;

/// What the fields have said; 0 where they have said nothing, as in PostgreSQL.
struct TimeInput {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t second_of_day = 0;
  int64_t millis = 0;
  int64_t micros = 0;
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t day_of_year = 0;
  int64_t day_of_week = 0;  ///< 1 = Sunday.
  int64_t week = 0;
  int64_t week_of_month = 0;
  int64_t julian_day = 0;
  int64_t zone_hours = 0;
  int64_t zone_minutes = 0;
  int zone_sign = 0;
  int fraction_digits = 0;  ///< Of FF1 to FF6.
  bool half_clock = false;  ///< An hour of twelve.
  bool afternoon = false;
  bool before_christ = false;
  DateConvention convention = DateConvention::kNone;
};

std::unexpected<Error> Mismatch(std::string why) {
  return Err(ErrorCode::kInvalidCast, std::move(why));
}

std::unexpected<Error> OutOfRange() {
  return Err(ErrorCode::kDatetimeOutOfRange, "date/time field value out of range");
}

/// DCH_from_char of PostgreSQL 15 (formatting.c), without its mode FX.
class TimeReader {
 public:
  TimeReader(std::string_view text, const TimeFormat& format)
      : text_(text), nodes_(format.nodes()) {}

  Result<TimeInput> Read();

 private:
  using Node = TimeFormatNode;

  bool AtSpace() const { return at_ < text_.size() && IsSpace(text_[at_]); }
  void SkipSpaces() {
    while (AtSpace()) {
      ++at_;
      ++extra_;
    }
  }
  void ReadText(const Node& node);
  Status ReadField(size_t index);
  Status ReadDate(size_t index);
  Status ReadYear(size_t index);
  Status ReadFraction(size_t index);
  Status ReadZoneHours(size_t index);

  /// Whether what follows a number cannot be one of its digits.
  bool EndsBeforeNext(size_t index) const;
  /// Reads up to `length` digits and a sign, exactly so many where digits follow in the format.
  /// Returns the characters read, or an error.
  Result<size_t> ReadNumber(size_t index, size_t length, int64_t& out);
  Status ReadInto(size_t index, int64_t& out);
  /// Finds the first of the names that the text goes on with.
  template <typename Names>
  Result<size_t> ReadName(const Node& node, const Names& names, size_t letters);
  Status Set(const Node& node, int64_t value, int64_t& out);

  std::string_view text_;
  const std::vector<Node>& nodes_;
  size_t at_ = 0;
  int64_t extra_ = 0;  ///< Characters skipped beyond what the format asked for.
  TimeInput input_;
};

Result<TimeInput> TimeReader::Read() {
  for (size_t index = 0; index < nodes_.size() && at_ < text_.size(); ++index) {
    const Node& node = nodes_[index];
    if (node.kind == Kind::kField || index == 0) {
      SkipSpaces();
    }
    if (node.kind != Kind::kField) {
      ReadText(node);
      continue;
    }
    if (node.convention != DateConvention::kNone) {
      const bool mixes =
          input_.convention != DateConvention::kNone && input_.convention != node.convention;
      if (mixes) {
        return Mismatch("a format mixes Gregorian and ISO week dates");
      }
      input_.convention = node.convention;
    }
    MR_TRY(ReadField(index));
    extra_ = 0;
    SkipSpaces();
  }
  return input_;
}

void TimeReader::ReadText(const Node& node) {
  if (node.kind == Kind::kCharacter) {
    // Any character fits; one that was skipped before counts.
    if (extra_ > 0) {
      --extra_;
    } else if (at_ < text_.size()) {
      at_ += CharacterRange(text_.substr(at_), 0, 1).size();
    }
    return;
  }
  --extra_;
  if (at_ >= text_.size()) {
    return;
  }
  const char c = text_[at_];
  if (IsSpace(c) || (c > ' ' && c < 0x7f && !IsLetter(c) && !IsDigit(c))) {
    ++at_;
    ++extra_;
  }
}

bool TimeReader::EndsBeforeNext(size_t index) const {
  if (nodes_[index].ordinal || index + 1 == nodes_.size()) {
    return true;
  }
  const Node& next = nodes_[index + 1];
  return next.kind == Kind::kField ? !next.is_number
                                   : next.text.size() != 1 || !IsDigit(next.text[0]);
}

Result<size_t> TimeReader::ReadNumber(size_t index, size_t length, int64_t& out) {
  const Node& node = nodes_[index];
  while (AtSpace()) {
    ++at_;
  }
  const bool free = node.fill_mode || EndsBeforeNext(index);
  std::string_view rest = text_.substr(at_);
  if (!free && rest.size() < length) {
    return Mismatch(fmt::format("the text is too short for \"{}\"", node.text));
  }
  rest = free ? rest : rest.substr(0, length);
  TextCursor cursor(rest);
  const bool negative = cursor.Peek() == '-';
  if (negative || cursor.Peek() == '+') {
    cursor.Skip();
  }
  constexpr int64_t kLimit = int64_t{1} << 31;
  const std::string_view digits = cursor.TakeDigits();
  const int64_t value = DigitsValue(digits, kLimit);
  const size_t used = rest.size() - cursor.rest().size();
  if (digits.empty() || (!free && used < length)) {
    return Mismatch(fmt::format("the text has no number for \"{}\"", node.text));
  }
  if (value >= kLimit) {
    return OutOfRange();
  }
  at_ += used;
  MR_TRY(Set(node, negative ? -value : value, out));
  return used;
}

Status TimeReader::Set(const Node& node, int64_t value, int64_t& out) {
  if (out != 0 && out != value) {
    return Mismatch(fmt::format("\"{}\" contradicts a field before it", node.text));
  }
  out = value;
  return {};
}

Status TimeReader::ReadInto(size_t index, int64_t& out) {
  MR_TRY(ReadNumber(index, nodes_[index].digits, out));
  return {};
}

template <typename Names>
Result<size_t> TimeReader::ReadName(const Node& node, const Names& names, size_t letters) {
  const std::string_view rest = text_.substr(at_);
  size_t index = 0;
  for (const std::string_view full : names) {
    const std::string_view name = full.substr(0, letters);
    const bool found = rest.size() >= name.size() &&
                       std::ranges::equal(rest.substr(0, name.size()), name,
                                          [](char a, char b) { return ToLower(a) == ToLower(b); });
    if (found) {
      at_ += name.size();
      return index;
    }
    ++index;
  }
  return Mismatch(fmt::format("the text has no name for \"{}\"", node.text));
}

Status TimeReader::ReadFraction(size_t index) {
  constexpr int64_t kPowers[] = {1, 10, 100, 1000, 10'000, 100'000, 1'000'000};
  const Node& node = nodes_[index];
  const bool millis = node.field == TimeField::kMillisecond;
  const size_t places = millis ? 3 : 6;
  int64_t& out = millis ? input_.millis : input_.micros;
  const size_t length = node.field == TimeField::kFraction ? node.digits : places;
  input_.fraction_digits = node.field == TimeField::kFraction ? node.digits : 0;
  int64_t value = 0;
  MR_ASSIGN(const size_t used, ReadNumber(index, length, value));
  // 25 and 250 are a quarter, 025 is not.
  value *= used < places ? kPowers[places - used] : 1;
  return Set(node, value, out);
}

Status TimeReader::ReadZoneHours(size_t index) {
  const char c = text_[at_];
  if (c == '+' || c == '-' || c == ' ') {
    input_.zone_sign = c == '-' ? -1 : 1;
    ++at_;
  } else {
    // The minus may have been taken for a separator.
    input_.zone_sign = extra_ > 0 && at_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
  }
  MR_TRY(ReadNumber(index, 2, input_.zone_hours));
  return {};
}

Status TimeReader::ReadYear(size_t index) {
  const Node& node = nodes_[index];
  if (node.field == TimeField::kYearWithComma) {
    TextCursor cursor(text_.substr(at_));
    const int64_t thousands = DigitsValue(cursor.TakeDigits(), 1'000'000);
    if (!cursor.Take(',')) {
      return Mismatch("the text has no number for \"Y,YYY\"");
    }
    const std::string_view years = cursor.TakeDigits().substr(0, 3);
    at_ += static_cast<size_t>(cursor.rest().data() - text_.data()) - at_;
    return years.empty() ? Status(Mismatch("the text has no number for \"Y,YYY\""))
                         : Set(node, thousands * 1000 + DigitsValue(years, 999), input_.year);
  }
  int64_t year = 0;
  MR_ASSIGN(const size_t used, ReadNumber(index, node.digits, year));
  if (used < 4 && node.digits < 4) {
    // Towards 2020: 69 is 2069, 70 is 1970.
    year += year < 70 ? 2000 : year < 100 ? 1900 : year < 520 ? 2000 : year < 1000 ? 1000 : 0;
  }
  return Set(node, year, input_.year);
}

Status TimeReader::ReadDate(size_t index) {
  const Node& node = nodes_[index];
  constexpr size_t kWhole = std::string_view::npos;
  int64_t ignored = 0;
  switch (node.field) {
    case TimeField::kMonthName:
    case TimeField::kShortMonthName: {
      const size_t letters = node.field == TimeField::kMonthName ? kWhole : 3;
      MR_ASSIGN(const size_t month, ReadName(node, kMonthNames, letters));
      return Set(node, static_cast<int64_t>(month) + 1, input_.month);
    }
    case TimeField::kRomanMonth: {
      // VIII before VII before VI.
      std::vector<std::string_view> names(std::rbegin(kRomanMonths), std::rend(kRomanMonths));
      MR_ASSIGN(const size_t month, ReadName(node, names, kWhole));
      return Set(node, 12 - static_cast<int64_t>(month), input_.month);
    }
    case TimeField::kDayName:
    case TimeField::kShortDayName: {
      const size_t letters = node.field == TimeField::kDayName ? kWhole : 3;
      MR_ASSIGN(const size_t day, ReadName(node, kDayNames, letters));
      return Set(node, static_cast<int64_t>(day) + 1, input_.day_of_week);
    }
    case TimeField::kMonth:
      return ReadInto(index, input_.month);
    case TimeField::kDay:
      return ReadInto(index, input_.day);
    case TimeField::kDayOfYear:
      return ReadInto(index, input_.day_of_year);
    case TimeField::kIsoDayOfYear:
      MR_TRY(ReadNumber(index, 3, input_.day_of_year));
      return {};
    case TimeField::kDayOfWeek:
      return ReadInto(index, input_.day_of_week);
    case TimeField::kIsoDayOfWeek: {
      int64_t day = 0;
      MR_TRY(ReadNumber(index, 1, day));
      return Set(node, day % 7 + 1, input_.day_of_week);
    }
    case TimeField::kWeek:
    case TimeField::kIsoWeek:
      return ReadInto(index, input_.week);
    case TimeField::kWeekOfMonth:
      return ReadInto(index, input_.week_of_month);
    case TimeField::kQuarter:
      return ReadInto(index, ignored);  // No day follows from it.
    case TimeField::kJulianDay:
      return ReadInto(index, input_.julian_day);
    default:
      return Mismatch(fmt::format("\"{}\" is for to_char only", node.text));
  }
}

Status TimeReader::ReadField(size_t index) {
  const Node& node = nodes_[index];
  Status read;
  switch (node.field) {
    case TimeField::kAmPm: {
      constexpr std::string_view kDotted[] = {"a.m.", "p.m."};
      constexpr std::string_view kPlain[] = {"am", "pm"};
      MR_ASSIGN(const size_t half, ReadName(node, node.dotted ? kDotted : kPlain, 4));
      input_.afternoon = half == 1;
      input_.half_clock = true;
      return {};
    }
    case TimeField::kAdBc: {
      constexpr std::string_view kDotted[] = {"a.d.", "b.c."};
      constexpr std::string_view kPlain[] = {"ad", "bc"};
      MR_ASSIGN(const size_t era, ReadName(node, node.dotted ? kDotted : kPlain, 4));
      input_.before_christ = era == 1;
      return {};
    }
    case TimeField::kHour12:
    case TimeField::kHour24:
      input_.half_clock |= node.field == TimeField::kHour12;
      MR_TRY(ReadNumber(index, 2, input_.hour));
      break;
    case TimeField::kMinute:
      MR_TRY(ReadInto(index, input_.minute));
      break;
    case TimeField::kSecond:
      MR_TRY(ReadInto(index, input_.second));
      break;
    case TimeField::kSecondOfDay:
      MR_TRY(ReadInto(index, input_.second_of_day));
      break;
    case TimeField::kMillisecond:
    case TimeField::kMicrosecond:
    case TimeField::kFraction:
      MR_TRY(ReadFraction(index));
      break;
    case TimeField::kZoneHours:
      return ReadZoneHours(index);
    case TimeField::kZoneMinutes:
      input_.zone_sign = input_.zone_sign == 0 ? 1 : input_.zone_sign;
      MR_TRY(ReadNumber(index, 2, input_.zone_minutes));
      return {};
    case TimeField::kYear:
    case TimeField::kIsoYear:
    case TimeField::kYearWithComma:
      MR_TRY(ReadYear(index));
      break;
    default:
      MR_TRY(ReadDate(index));
      break;
  }
  // The two letters of an ordinal number are passed over.
  at_ = std::min(at_ + (node.ordinal ? 2 : 0), text_.size());
  return {};
}

// From the fields to a time: do_to_timestamp of PostgreSQL 15.

std::optional<int64_t> TimeOfDayFrom(const TimeInput& input) {
  int64_t hour = input.hour;
  int64_t minute = input.minute;
  int64_t second = input.second;
  if (input.second_of_day != 0) {
    hour = hour != 0 ? hour : input.second_of_day / 3600;
    minute = minute != 0 ? minute : input.second_of_day % 3600 / 60;
    second = second != 0 ? second : input.second_of_day % 60;
  }
  if (input.half_clock) {
    if (hour < 1 || hour > 12) {
      return std::nullopt;
    }
    hour = hour % 12 + (input.afternoon ? 12 : 0);
  }
  const int64_t micros = input.millis * 1000 + input.micros;
  const bool valid = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 &&
                     second < 60 && micros >= 0 && micros < kMicrosPerSecond;
  return valid ? std::optional(((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + micros)
               : std::nullopt;
}

/// The day of an ISO year and week, on its Monday unless a day is given.
int32_t DayFromIsoWeek(const TimeInput& input) {
  const int64_t day = input.day_of_week == 0 ? 0 : (input.day_of_week + 5) % 7;
  return IsoYearStart(static_cast<int32_t>(input.year)) +
         static_cast<int32_t>((input.week - 1) * 7 + day);
}

Result<int32_t> DayFrom(TimeInput input) {
  constexpr int64_t kYearMax = 9999;
  constexpr int64_t kWeekMax = 53;
  if (input.julian_day != 0) {
    const int64_t days = input.julian_day - kJulianOfEpoch;
    if (days < kDateMin || days > kDateMax) {
      return OutOfRange();
    }
    // As in PostgreSQL a month or day that the text names besides comes before it.
    const CivilDate date = CivilFromDays(static_cast<int32_t>(days));
    input.year = date.year;
    input.month = input.month == 0 ? date.month : input.month;
    input.day = input.day == 0 ? date.day : input.day;
    input.before_christ = false;
  }
  const bool iso = input.convention == DateConvention::kIsoWeek;
  if (input.year < 1 || input.year > kYearMax || input.before_christ || input.week < 0 ||
      input.week > kWeekMax || input.day_of_week > 7) {
    return OutOfRange();
  }
  const auto year = static_cast<int32_t>(input.year);
  if (iso && input.week != 0) {
    return DayFromIsoWeek(input);
  }
  input.day_of_year = input.week != 0 ? (input.week - 1) * 7 + 1 : input.day_of_year;
  input.day = input.week_of_month != 0 ? (input.week_of_month - 1) * 7 + 1 : input.day;
  if (input.day_of_year != 0 && (input.month <= 1 || input.day <= 1)) {
    const int32_t first = iso ? IsoYearStart(year) : DaysFromCivil(year, 1, 1);
    const int32_t last = DaysFromCivil(year, 12, 31);
    const int64_t day = int64_t{first} + input.day_of_year - 1;
    if (input.day_of_year < 1 || (!iso && day > last) || input.day_of_year > 371) {
      return OutOfRange();
    }
    // As in PostgreSQL a month or day that the text names itself stays.
    const CivilDate date = CivilFromDays(static_cast<int32_t>(day));
    if (iso || (input.month <= 1 && input.day <= 1)) {
      return static_cast<int32_t>(day);
    }
    input.month = input.month <= 1 ? date.month : input.month;
    input.day = input.day <= 1 ? date.day : input.day;
  }
  const int64_t month = input.month == 0 ? 1 : input.month;
  const int64_t day = input.day == 0 ? 1 : input.day;
  const bool valid = month >= 1 && month <= 12 && day >= 1 &&
                     day <= DaysInMonth(year, static_cast<uint32_t>(month));
  return valid ? Result<int32_t>(
                     DaysFromCivil(year, static_cast<uint32_t>(month), static_cast<uint32_t>(day)))
               : OutOfRange();
}

/// FF3 has three digits, whatever the text has.
Micros RoundedTo(int digits, Micros at) {
  constexpr Micros kUnits[] = {1, 100'000, 10'000, 1000, 100, 10, 1};
  const Micros unit = kUnits[digits];
  const Micros rest = (at % unit + unit) % unit;
  return at - rest + (rest * 2 >= unit && unit > 1 ? unit : 0);
}

}  // namespace

Result<Micros> ParseFormatted(std::string_view text, const TimeFormat& format) {
  MR_ASSIGN(const TimeInput input, TimeReader(text, format).Read());
  const auto time = TimeOfDayFrom(input);
  if (!time) {
    return OutOfRange();
  }
  MR_ASSIGN(const int32_t day, DayFrom(input));
  constexpr int64_t kZoneHoursMax = 15;
  if (input.zone_hours < 0 || input.zone_hours > kZoneHoursMax || input.zone_minutes < 0 ||
      input.zone_minutes > 59) {
    return OutOfRange();
  }
  const int64_t zone = (input.zone_hours * 60 + input.zone_minutes) * 60 * kMicrosPerSecond;
  const Micros at =
      RoundedTo(input.fraction_digits, day * kMicrosPerDay + *time - input.zone_sign * zone);
  return at >= kTimestampMin && at <= kTimestampMax ? Result<Micros>(at) : OutOfRange();
}

}  // namespace millrace::internal
