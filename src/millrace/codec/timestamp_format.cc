#include "millrace/codec/timestamp_format.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/codec/local_time.h"
#include "millrace/data/text_cursor.h"

namespace millrace {

namespace {

constexpr size_t kPatternBytesMax = 100;
constexpr size_t kFractionDigitsMax = 9;
constexpr int64_t kSecondsPerMinute = 60;
constexpr int64_t kSecondsPerHour = 3600;

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};

Error Refused(std::string_view pattern, std::string_view what) {
  return Error(ErrorCode::kConfigInvalidValue,
               fmt::format("the timestamp format '{}' {}", pattern, what))
      .WithHint(
          "iso, epoch_seconds, epoch_millis, epoch_micros, or a pattern such as "
          "yyyy-MM-dd HH:mm:ss[.f]");
}

uint32_t DaysInMonth(uint32_t year, uint32_t month) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

}  // namespace

/// What has been read of one text.
struct TimestampFormat::Reading {
  size_t at = 0;
  uint32_t year = 0;
  uint32_t month = 0;
  uint32_t day = 0;
  uint32_t hour = 0;
  uint32_t minute = 0;
  uint32_t second = 0;
  int64_t nanos = 0;
  bool half_day_hour = false;
  bool afternoon = false;
  bool has_zone = false;
  int64_t zone_seconds = 0;

  /// Takes between `least` and `most` digits.
  bool TakeNumber(std::string_view text, size_t least, size_t most, uint32_t& out) {
    uint32_t value = 0;
    size_t digits = 0;
    while (digits < most && at < text.size() && internal::IsDigit(text[at])) {
      value = value * 10 + static_cast<uint32_t>(text[at] - '0');
      ++at;
      ++digits;
    }
    out = value;
    return digits >= least;
  }

  bool TakeFraction(std::string_view text, size_t least, size_t most) {
    const size_t begin = at;
    uint32_t value = 0;
    if (!TakeNumber(text, least, most, value)) {
      return false;
    }
    nanos = value;
    for (size_t digits = at - begin; digits < kFractionDigitsMax; ++digits) {
      nanos *= 10;
    }
    return true;
  }

  bool TakeMonthName(std::string_view text) {
    const std::string_view name = text.substr(at, 3);
    const auto* const found = std::ranges::find_if(
        kMonths, [&](std::string_view known) { return internal::EqualsIgnoreCase(name, known); });
    if (found == kMonths.end()) {
      return false;
    }
    month = static_cast<uint32_t>(found - kMonths.begin()) + 1;
    at += 3;
    return true;
  }

  bool TakeHalfDay(std::string_view text) {
    const std::string_view name = text.substr(at, 2);
    afternoon = internal::EqualsIgnoreCase(name, "pm");
    if (!afternoon && !internal::EqualsIgnoreCase(name, "am")) {
      return false;
    }
    at += 2;
    return true;
  }

  bool TakeZone(std::string_view text) {
    if (at >= text.size()) {
      return false;
    }
    const char sign = text[at++];
    has_zone = true;
    zone_seconds = 0;
    if (sign == 'Z' || sign == 'z') {
      return true;
    }
    uint32_t hours = 0;
    uint32_t minutes = 0;
    if ((sign != '+' && sign != '-') || !TakeNumber(text, 2, 2, hours)) {
      return false;
    }
    const bool colon = at < text.size() && text[at] == ':';
    at += colon ? 1 : 0;
    const bool more = at < text.size() && internal::IsDigit(text[at]);
    if ((colon || more) && !TakeNumber(text, 2, 2, minutes)) {
      return false;
    }
    zone_seconds = hours * kSecondsPerHour + minutes * kSecondsPerMinute;
    zone_seconds = sign == '-' ? -zone_seconds : zone_seconds;
    constexpr uint32_t kZoneHoursMax = 15;
    return hours <= kZoneHoursMax && minutes < kSecondsPerMinute;
  }

  ScanOutcome ToMicros(Micros& out) const {
    constexpr uint32_t kNoon = 12;
    if (half_day_hour && (hour < 1 || hour > kNoon)) {
      return ScanOutcome::kOutOfRange;
    }
    const uint32_t hour_of_day = half_day_hour ? hour % kNoon + (afternoon ? kNoon : 0) : hour;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month) ||
        hour_of_day > 23 || minute > 59 || second > 60) {
      return ScanOutcome::kOutOfRange;
    }
    const int64_t days = DaysFromCivil(static_cast<int32_t>(year), month, day);
    const int64_t seconds =
        hour_of_day * kSecondsPerHour + minute * kSecondsPerMinute + second - zone_seconds;
    const int64_t micros = nanos / 1000;
    const int64_t rest = nanos % 1000;
    const int64_t rounded = micros + (rest > 500 || (rest == 500 && micros % 2 == 1) ? 1 : 0);
    const Micros value = days * kMicrosPerDay + seconds * kMicrosPerSecond + rounded;
    if (value < kTimestampMin || value > kTimestampMax) {
      return ScanOutcome::kOutOfRange;
    }
    out = value;
    return ScanOutcome::kOk;
  }
};

/// Takes a pattern apart into steps.
class TimestampFormat::PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  Result<std::vector<Step>> Read() {
    if (pattern_.empty() || pattern_.size() > kPatternBytesMax) {
      return std::unexpected(Refused(pattern_, "is empty or too long"));
    }
    while (at_ < pattern_.size()) {
      MR_TRY(ReadOne());
    }
    if (!open_.empty()) {
      return std::unexpected(Refused(pattern_, "lacks a ]"));
    }
    const auto has = [&](Part part) {
      return std::ranges::find(steps_, part, &Step::part) != steps_.end();
    };
    if (!has(Part::kYear) || !(has(Part::kMonth) || has(Part::kMonthName)) || !has(Part::kDay)) {
      return std::unexpected(Refused(pattern_, "needs year, month and day"));
    }
    if (has(Part::kHalfDayHour) != has(Part::kHalfDay)) {
      return std::unexpected(Refused(pattern_, "needs both h and a, or neither"));
    }
    return std::move(steps_);
  }

 private:
  Status ReadOne() {
    const char c = pattern_[at_];
    if (c == '[') {
      open_.push_back(steps_.size());
      steps_.push_back({.part = Part::kOptional});
      ++at_;
    } else if (c == ']') {
      if (open_.empty()) {
        return std::unexpected(Refused(pattern_, "has a ] without ["));
      }
      steps_[open_.back()].size = static_cast<uint16_t>(steps_.size() - open_.back() - 1);
      open_.pop_back();
      ++at_;
    } else if (c == '\'') {
      return ReadQuoted();
    } else if (internal::IsLetter(c) && c != 'T') {
      return ReadLetters();
    } else {
      Literal(c);
      ++at_;
    }
    return {};
  }

  void Literal(char c) { steps_.push_back({.part = Part::kLiteral, .literal = c}); }

  /// Two quotes are one, in quotes and alone.
  Status ReadQuoted() {
    const size_t begin = at_++;
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      const bool doubled = c == '\'' && at_ < pattern_.size() && pattern_[at_] == '\'';
      if (c == '\'' && !doubled) {
        if (at_ == begin + 2) {
          Literal('\'');
        }
        return {};
      }
      at_ += doubled ? 1 : 0;
      Literal(c);
    }
    return std::unexpected(Refused(pattern_, "lacks a quote"));
  }

  Status ReadLetters() {
    const char letter = pattern_[at_];
    const size_t end = std::min(pattern_.find_first_not_of(letter, at_), pattern_.size());
    const size_t count = end - at_;
    at_ = end;
    std::optional<Step> step = StepOf(letter, count);
    if (!step) {
      return std::unexpected(Refused(pattern_, fmt::format("has '{}', which stands for nothing",
                                                           pattern_.substr(end - count, count))));
    }
    if (std::ranges::find(steps_, step->part, &Step::part) != steps_.end()) {
      return std::unexpected(Refused(pattern_, fmt::format("has '{}' twice", letter)));
    }
    steps_.push_back(*step);
    return {};
  }

  static std::optional<Step> StepOf(char letter, size_t count) {
    const auto digits = static_cast<uint8_t>(count);
    if (letter == 'y' && count == 4) {
      return Step{.part = Part::kYear, .digits_min = digits, .digits_max = digits};
    }
    if (letter == 'M' && count == 3) {
      return Step{.part = Part::kMonthName};
    }
    if (letter == 'f' && count <= kFractionDigitsMax) {
      return count == 1 ? Step{.part = Part::kFraction, .digits_min = 1, .digits_max = 9}
                        : Step{.part = Part::kFraction, .digits_min = digits, .digits_max = digits};
    }
    if ((letter == 'X' || letter == 'Z') && count == 1) {
      return Step{.part = Part::kZone};
    }
    if (letter == 'a' && count == 1) {
      return Step{.part = Part::kHalfDay};
    }
    constexpr std::pair<char, Part> kTwoDigits[] = {{'M', Part::kMonth},  {'d', Part::kDay},
                                                    {'H', Part::kHour},   {'h', Part::kHalfDayHour},
                                                    {'m', Part::kMinute}, {'s', Part::kSecond}};
    for (const auto& [name, part] : kTwoDigits) {
      if (name == letter && count <= 2) {
        return Step{.part = part, .digits_min = digits, .digits_max = 2};
      }
    }
    return {};
  }

  std::string_view pattern_;
  size_t at_ = 0;
  std::vector<Step> steps_;
  std::vector<size_t> open_;
};

Result<TimestampFormat> TimestampFormat::Parse(std::string_view text) {
  TimestampFormat format;
  format.text_ = text;
  if (text == "iso") {
    return format;
  }
  constexpr std::pair<std::string_view, uint8_t> kEpochs[] = {
      {"epoch_seconds", 6}, {"epoch_millis", 3}, {"epoch_micros", 0}};
  for (const auto& [name, digits] : kEpochs) {
    if (text == name) {
      format.kind_ = Kind::kEpoch;
      format.epoch_digits_ = digits;
      format.columns_.reset();
      return format;
    }
  }
  format.kind_ = Kind::kPattern;
  MR_ASSIGN(format.steps_, PatternReader(text).Read());
  format.columns_.reset();
  for (const std::string_view separator : {" ", "T", "'T'"}) {
    const std::string fixed = fmt::format("yyyy-MM-dd{}HH:mm:ss", separator);
    if (!text.starts_with(fixed)) {
      continue;
    }
    std::string_view rest = text.substr(fixed.size());
    Columns columns{.zone_may_miss = true, .zone_may_be_z = false};
    if (rest.ends_with("[X]") || rest.ends_with("X")) {
      columns.zone_may_be_z = true;
      columns.zone_may_miss = rest.ends_with(']');
      rest.remove_suffix(columns.zone_may_miss ? 3 : 1);
    }
    if (rest.empty()) {
      columns.fraction_digits_max = 0;
    } else if (rest == ".f" || rest == "[.f]") {
      columns.fraction_may_miss = rest.starts_with('[');
    } else if (rest == ".fff" || rest == ".ffffff" || rest == "[.fff]" || rest == "[.ffffff]") {
      columns.fraction_may_miss = rest.starts_with('[');
      columns.fraction_digits_min = static_cast<uint8_t>(std::ranges::count(rest, 'f'));
      columns.fraction_digits_max = columns.fraction_digits_min;
    } else {
      continue;
    }
    format.columns_ = columns;
  }
  return format;
}

bool TimestampFormat::ReadStep(const Step& step, std::string_view text, Reading& reading) {
  const auto number = [&](uint32_t& out) {
    return reading.TakeNumber(text, step.digits_min, step.digits_max, out);
  };
  switch (step.part) {
    case Part::kYear:
      return number(reading.year);
    case Part::kMonth:
      return number(reading.month);
    case Part::kMonthName:
      return reading.TakeMonthName(text);
    case Part::kDay:
      return number(reading.day);
    case Part::kHalfDayHour:
      reading.half_day_hour = true;
      return number(reading.hour);
    case Part::kHour:
      return number(reading.hour);
    case Part::kHalfDay:
      return reading.TakeHalfDay(text);
    case Part::kMinute:
      return number(reading.minute);
    case Part::kSecond:
      return number(reading.second);
    case Part::kFraction:
      return reading.TakeFraction(text, step.digits_min, step.digits_max);
    case Part::kZone:
      return reading.TakeZone(text);
    case Part::kLiteral:
      return reading.at < text.size() && text[reading.at++] == step.literal;
    case Part::kOptional:
      return true;
  }
  return false;
}

bool TimestampFormat::ReadSteps(size_t begin, size_t end, std::string_view text,
                                Reading& reading) const {
  for (size_t i = begin; i < end; ++i) {
    const Step& step = steps_[i];
    if (step.part == Part::kOptional) {
      Reading tried = reading;
      if (ReadSteps(i + 1, i + 1 + step.size, text, tried)) {
        reading = tried;
      }
      i += step.size;
    } else if (!ReadStep(step, text, reading)) {
      return false;
    }
  }
  return true;
}

ScanOutcome TimestampFormat::Scan(std::string_view text, Micros& out, bool& has_zone) const {
  if (kind_ == Kind::kIso) {
    has_zone = false;
    const ScanOutcome outcome = ScanTimestamptz(text, out);
    has_zone = outcome == ScanOutcome::kOk && HasTimeZone(text);
    return outcome;
  }
  if (kind_ == Kind::kEpoch) {
    has_zone = true;
    Int128 micros = 0;
    const ScanOutcome outcome =
        ScanNumeric(text, DataType::kNumericPrecisionMax, epoch_digits_, micros);
    if (outcome != ScanOutcome::kOk) {
      return outcome;
    }
    if (micros < kTimestampMin || micros > kTimestampMax) {
      return ScanOutcome::kOutOfRange;
    }
    out = static_cast<Micros>(micros);
    return ScanOutcome::kOk;
  }
  Reading reading;
  if (!ReadSteps(0, steps_.size(), text, reading) || reading.at != text.size()) {
    return ScanOutcome::kInvalid;
  }
  has_zone = reading.has_zone;
  return reading.ToMicros(out);
}

}  // namespace millrace
