#include <algorithm>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/calendar.h"
#include "millrace/expr/time_format.h"

namespace millrace::internal {

namespace {

constexpr int32_t kJulianOfEpoch = 2'440'588;

/// Writes one field after the other of one time.
class TimeWriter {
 public:
  TimeWriter(std::string& out, const TimeParts& parts) : out_(out), parts_(parts) {}

  void Append(const TimeFormatNode& node);

 private:
  /// Zeros in front up to `width`, one more for a sign.
  void Number(const TimeFormatNode& node, int64_t value, int width) {
    width = node.fill_mode ? 0 : value < 0 ? width + 1 : width;
    const size_t before = out_.size();
    fmt::format_to(std::back_inserter(out_), "{:0{}}", value, width);
    Ordinal(node, before);
  }
  void Ordinal(const TimeFormatNode& node, size_t number_at);
  /// Spaces behind up to `width`.
  void Name(const TimeFormatNode& node, std::string_view name, size_t width);
  void Half(const TimeFormatNode& node, bool second, std::string_view first_letters);
  void Year(const TimeFormatNode& node, int64_t year);
  void TimeOfDay(const TimeFormatNode& node);
  void Calendar(const TimeFormatNode& node);
  void Zone(const TimeFormatNode& node);

  std::string& out_;
  const TimeParts& parts_;
};

void TimeWriter::Ordinal(const TimeFormatNode& node, size_t number_at) {
  if (!node.ordinal) {
    return;
  }
  const std::string_view number = std::string_view(out_).substr(number_at);
  const bool teens = number.size() > 1 && number[number.size() - 2] == '1';
  const char last = teens ? '0' : number.back();
  std::string ending = last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
  if (node.lower_ordinal) {
    std::ranges::transform(ending, ending.begin(), ToLower);
  }
  out_ += ending;
}

void TimeWriter::Name(const TimeFormatNode& node, std::string_view name, size_t width) {
  const size_t before = out_.size();
  for (size_t i = 0; i < name.size(); ++i) {
    const bool upper = node.letter_case == LetterCase::kUpper ||
                       (i == 0 && node.letter_case == LetterCase::kCapital);
    const char c = ToLower(name[i]);
    out_ += upper ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  if (!node.fill_mode && out_.size() - before < width) {
    out_.append(width - (out_.size() - before), ' ');
  }
}

/// AM or PM, AD or BC; with points as in A.M.
void TimeWriter::Half(const TimeFormatNode& node, bool second, std::string_view first_letters) {
  const auto cased = [&](char c) {
    return node.letter_case == LetterCase::kLower ? ToLower(c) : c;
  };
  const std::string_view second_letters = first_letters[1] == 'M' ? "MM" : "DC";
  const size_t which = second ? 1 : 0;
  out_ += cased(first_letters[which * 2]);
  out_ += node.dotted ? "." : "";
  out_ += cased(second_letters[which]);
  out_ += node.dotted ? "." : "";
}

void TimeWriter::Year(const TimeFormatNode& node, int64_t year) {
  constexpr int64_t kModulus[] = {1, 10, 100, 1000};
  const auto digits = static_cast<int>(node.digits);
  Number(node, digits >= 4 ? year : year % kModulus[digits], digits);
}

void TimeWriter::TimeOfDay(const TimeFormatNode& node) {
  constexpr int64_t kPowers[] = {1'000'000, 100'000, 10'000, 1000, 100, 10, 1};
  const auto fraction = [&](int64_t value, int width) {
    const size_t before = out_.size();
    fmt::format_to(std::back_inserter(out_), "{:0{}}", value, width);
    Ordinal(node, before);
  };
  switch (node.field) {
    case TimeField::kHour12:
      return Number(node, parts_.hour % 12 == 0 ? 12 : parts_.hour % 12, 2);
    case TimeField::kHour24:
      return Number(node, parts_.hour, 2);
    case TimeField::kMinute:
      return Number(node, parts_.minute, 2);
    case TimeField::kSecond:
      return Number(node, parts_.second, 2);
    case TimeField::kMillisecond:
      return fraction(parts_.micros / 1000, 3);
    case TimeField::kMicrosecond:
      return fraction(parts_.micros, 6);
    case TimeField::kFraction:
      return fraction(parts_.micros / kPowers[node.digits], node.digits);
    default:
      return Number(node, (parts_.hour * 60 + parts_.minute) * 60 + parts_.second, 0);
  }
}

void TimeWriter::Zone(const TimeFormatNode& node) {
  switch (node.field) {
    case TimeField::kZoneName:
      out_ += !parts_.is_zoned ? "" : node.letter_case == LetterCase::kLower ? "utc" : "UTC";
      break;
    case TimeField::kZoneMinutes:
      out_ += "00";
      break;
    case TimeField::kOffset:
      out_ += node.fill_mode ? "+0" : "+00";
      break;
    default:
      out_ += "+00";
      break;
  }
}

void TimeWriter::Calendar(const TimeFormatNode& node) {
  constexpr size_t kLongestName = 9;
  const auto day = static_cast<int64_t>(DayOfWeek(parts_.days));
  const auto month = static_cast<size_t>(std::max<int64_t>(parts_.month - 1, 0));
  switch (node.field) {
    case TimeField::kMonthName:
      return Name(node, kMonthNames[month], kLongestName);
    case TimeField::kShortMonthName:
      return Name(node, kMonthNames[month].substr(0, 3), 0);
    case TimeField::kDayName:
      return Name(node, kDayNames[day], kLongestName);
    case TimeField::kShortDayName:
      return Name(node, kDayNames[day].substr(0, 3), 0);
    case TimeField::kRomanMonth:
      return Name(node, kRomanMonths[month], 4);
    case TimeField::kDayOfWeek:
      return Number(node, day + 1, 0);
    case TimeField::kIsoDayOfWeek:
      return Number(node, IsoDayOfWeek(parts_.days), 0);
    case TimeField::kIsoDayOfYear:
      return Number(node, parts_.days - IsoYearStart(IsoYear(parts_.days)) + 1, 3);
    case TimeField::kIsoWeek:
      return Number(node, IsoWeek(parts_.days), 2);
    case TimeField::kIsoYear:
      return Year(node, IsoYear(parts_.days));
    case TimeField::kWeek:
      return Number(node, (DayOfYear(parts_.days) - 1) / 7 + 1, 2);
    case TimeField::kWeekOfMonth:
      return Number(node, (parts_.day - 1) / 7 + 1, 0);
    case TimeField::kQuarter:
      return Number(node, (parts_.month - 1) / 3 + 1, 0);
    case TimeField::kCentury:
      return Number(node, (parts_.year - 1) / 100 + 1, 2);
    default:
      return Number(node, int64_t{parts_.days} + kJulianOfEpoch, 0);
  }
}

void TimeWriter::Append(const TimeFormatNode& node) {
  switch (node.field) {
    case TimeField::kExact:
      return;
    case TimeField::kAmPm:
      return Half(node, parts_.hour % 24 >= 12, "AMPM");
    case TimeField::kAdBc:
      return Half(node, false, "ADBC");
    case TimeField::kYear:
      return Year(node, parts_.year);
    case TimeField::kYearWithComma: {
      const size_t before = out_.size();
      fmt::format_to(std::back_inserter(out_), "{},{:03}", parts_.year / 1000, parts_.year % 1000);
      return Ordinal(node, before);
    }
    case TimeField::kMonth:
      return Number(node, parts_.month, 2);
    case TimeField::kDay:
      return Number(node, parts_.day, parts_.day < 0 ? 1 : 2);  // The sign counts here.
    case TimeField::kDayOfYear:
      return Number(node,
                    parts_.is_interval ? (parts_.year * 12 + parts_.month) * 30 + parts_.day
                                       : DayOfYear(parts_.days),
                    3);
    case TimeField::kOffset:
    case TimeField::kZoneHours:
    case TimeField::kZoneMinutes:
    case TimeField::kZoneName:
      return Zone(node);
    case TimeField::kHour12:
    case TimeField::kHour24:
    case TimeField::kMinute:
    case TimeField::kSecond:
    case TimeField::kSecondOfDay:
    case TimeField::kMillisecond:
    case TimeField::kMicrosecond:
    case TimeField::kFraction:
      return TimeOfDay(node);
    default:
      return Calendar(node);
  }
}

/// Fields that an interval has.
bool FitsInterval(TimeField field) {
  constexpr TimeField kFields[] = {
      TimeField::kAmPm,        TimeField::kDay,         TimeField::kDayOfYear,
      TimeField::kExact,       TimeField::kFraction,    TimeField::kHour12,
      TimeField::kHour24,      TimeField::kMinute,      TimeField::kMonth,
      TimeField::kMillisecond, TimeField::kMicrosecond, TimeField::kSecond,
      TimeField::kSecondOfDay, TimeField::kYear,        TimeField::kYearWithComma};
  return std::ranges::find(kFields, field) != std::end(kFields);
}

}  // namespace

TimeParts PartsOf(Micros at, bool is_zoned) {
  const int32_t days = DayOf(at);
  const CivilDate date = CivilFromDays(days);
  const Micros time = TimeOfDay(at);
  const int64_t seconds = time / kMicrosPerSecond;
  return {.year = date.year,
          .month = date.month,
          .day = date.day,
          .hour = seconds / 3600,
          .minute = seconds / 60 % 60,
          .second = seconds % 60,
          .micros = time % kMicrosPerSecond,
          .days = days,
          .is_zoned = is_zoned};
}

TimeParts PartsOf(const Interval& span) {
  const int64_t seconds = span.micros / kMicrosPerSecond;
  return {.year = span.months / 12,
          .month = span.months % 12,
          .day = span.days,
          .hour = seconds / 3600,
          .minute = seconds / 60 % 60,
          .second = seconds % 60,
          .micros = span.micros % kMicrosPerSecond,
          .is_interval = true};
}

Status AppendFormatted(std::string& out, const TimeFormat& format, const TimeParts& parts) {
  TimeWriter writer(out, parts);
  for (const TimeFormatNode& node : format.nodes()) {
    if (node.kind != TimeFormatNode::Kind::kField) {
      out += node.text;
    } else if (parts.is_interval && !FitsInterval(node.field)) {
      return Err(ErrorCode::kInvalidCast,
                 fmt::format("an interval has no {} to be formatted", node.text));
    } else {
      writer.Append(node);
    }
  }
  return {};
}

}  // namespace millrace::internal
