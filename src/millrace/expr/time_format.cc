#include "millrace/expr/time_format.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

using Kind = TimeFormatNode::Kind;

struct Keyword {
  std::string_view name;  ///< In upper case.
  TimeField field;
  bool is_number = true;
  DateConvention convention = DateConvention::kNone;
  bool capitalised = false;  ///< Written with one capital it is a third keyword: Day, Month.
};

constexpr DateConvention kGregorian = DateConvention::kGregorian;
constexpr DateConvention kIso = DateConvention::kIsoWeek;

/// Of names that begin alike the longer one comes first. After DCH_keywords of PostgreSQL 15.
constexpr Keyword kKeywords[] = {
    {"A.D.", TimeField::kAdBc, false},
    {"A.M.", TimeField::kAmPm, false},
    {"AD", TimeField::kAdBc, false},
    {"AM", TimeField::kAmPm, false},
    {"B.C.", TimeField::kAdBc, false},
    {"BC", TimeField::kAdBc, false},
    {"CC", TimeField::kCentury},
    {"DAY", TimeField::kDayName, false, DateConvention::kNone, true},
    {"DDD", TimeField::kDayOfYear, true, kGregorian},
    {"DD", TimeField::kDay, true, kGregorian},
    {"DY", TimeField::kShortDayName, false, DateConvention::kNone, true},
    {"D", TimeField::kDayOfWeek, true, kGregorian},
    {"FF1", TimeField::kFraction, false},
    {"FF2", TimeField::kFraction, false},
    {"FF3", TimeField::kFraction, false},
    {"FF4", TimeField::kFraction, false},
    {"FF5", TimeField::kFraction, false},
    {"FF6", TimeField::kFraction, false},
    {"FX", TimeField::kExact, false},
    {"HH24", TimeField::kHour24},
    {"HH12", TimeField::kHour12},
    {"HH", TimeField::kHour12},
    {"IDDD", TimeField::kIsoDayOfYear, true, kIso},
    {"ID", TimeField::kIsoDayOfWeek, true, kIso},
    {"IW", TimeField::kIsoWeek, true, kIso},
    {"IYYY", TimeField::kIsoYear, true, kIso},
    {"IYY", TimeField::kIsoYear, true, kIso},
    {"IY", TimeField::kIsoYear, true, kIso},
    {"I", TimeField::kIsoYear, true, kIso},
    {"J", TimeField::kJulianDay},
    {"MI", TimeField::kMinute},
    {"MM", TimeField::kMonth, true, kGregorian},
    {"MONTH", TimeField::kMonthName, false, kGregorian, true},
    {"MON", TimeField::kShortMonthName, false, kGregorian, true},
    {"MS", TimeField::kMillisecond},
    {"OF", TimeField::kOffset, false},
    {"P.M.", TimeField::kAmPm, false},
    {"PM", TimeField::kAmPm, false},
    {"Q", TimeField::kQuarter},
    {"RM", TimeField::kRomanMonth, false, kGregorian},
    {"SSSSS", TimeField::kSecondOfDay},
    {"SSSS", TimeField::kSecondOfDay},
    {"SS", TimeField::kSecond},
    {"TZH", TimeField::kZoneHours, false},
    {"TZM", TimeField::kZoneMinutes},
    {"TZ", TimeField::kZoneName, false},
    {"US", TimeField::kMicrosecond},
    {"WW", TimeField::kWeek, true, kGregorian},
    {"W", TimeField::kWeekOfMonth, true, kGregorian},
    {"Y,YYY", TimeField::kYearWithComma, true, kGregorian},
    {"YYYY", TimeField::kYear, true, kGregorian},
    {"YYY", TimeField::kYear, true, kGregorian},
    {"YY", TimeField::kYear, true, kGregorian},
    {"Y", TimeField::kYear, true, kGregorian},
};

/// Whether `text` begins with `name` in one case; which one.
std::optional<LetterCase> MatchName(std::string_view text, const Keyword& keyword) {
  const std::string_view name = keyword.name;
  if (text.starts_with(name)) {
    return LetterCase::kUpper;
  }
  const std::string_view start = text.substr(0, name.size());
  const auto lower_equal = [](char c, char upper) { return c == ToLower(upper); };
  if (std::ranges::equal(start, name, lower_equal)) {
    return LetterCase::kLower;
  }
  const bool capital = keyword.capitalised && !start.empty() && start[0] == name[0] &&
                       std::ranges::equal(start.substr(1), name.substr(1), lower_equal);
  return capital ? std::optional(LetterCase::kCapital) : std::nullopt;
}

bool IsSeparator(char c) { return c > ' ' && c < 0x7f && !IsLetter(c) && !IsDigit(c); }

class FormatParser {
 public:
  FormatParser(std::string_view text, std::vector<TimeFormatNode>& nodes)
      : rest_(text), nodes_(nodes) {}

  Status Parse() {
    while (!rest_.empty()) {
      const bool fill_mode = Take("FM") || Take("fm");
      if (!fill_mode && (rest_.starts_with("TM") || rest_.starts_with("tm"))) {
        return Unsupported("TM");
      }
      if (rest_.empty()) {
        break;
      }
      if (!ParseField(fill_mode)) {
        ParseText();
      } else if (rest_.starts_with("SP")) {
        return Unsupported("SP");
      }
    }
    return {};
  }

 private:
  static std::unexpected<Error> Unsupported(std::string_view what) {
    return Err(ErrorCode::kInvalidCast,
               fmt::format("the pattern {} of a time format is not supported", what));
  }

  bool Take(std::string_view text) {
    const bool found = rest_.starts_with(text);
    rest_.remove_prefix(found ? text.size() : 0);
    return found;
  }

  bool ParseField(bool fill_mode) {
    for (const Keyword& keyword : kKeywords) {
      const auto letter_case = MatchName(rest_, keyword);
      if (!letter_case) {
        continue;
      }
      TimeFormatNode node{.kind = Kind::kField,
                          .text = rest_.substr(0, keyword.name.size()),
                          .field = keyword.field,
                          .digits = static_cast<uint8_t>(keyword.name.size()),
                          .letter_case = *letter_case,
                          .convention = keyword.convention,
                          .is_number = keyword.is_number,
                          .dotted = keyword.name.size() == 4 && keyword.name[1] == '.',
                          .fill_mode = fill_mode};
      if (keyword.field == TimeField::kFraction) {
        node.digits = static_cast<uint8_t>(keyword.name[2] - '0');
      }
      rest_.remove_prefix(keyword.name.size());
      node.lower_ordinal = rest_.starts_with("th");
      node.ordinal = Take("TH") || Take("th");
      nodes_.push_back(node);
      return true;
    }
    return false;
  }

  void ParseText() {
    if (!Take("\"")) {
      if (rest_.starts_with("\\\"")) {
        rest_.remove_prefix(1);
      }
      const char c = rest_.front();
      AddCharacter(IsSeparator(c) ? Kind::kSeparator
                   : IsSpace(c)   ? Kind::kSpace
                                  : Kind::kCharacter);
      return;
    }
    while (!rest_.empty() && !Take("\"")) {
      if (rest_.front() == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      }
      AddCharacter(Kind::kCharacter);
    }
  }

  void AddCharacter(Kind kind) {
    const std::string_view character = CharacterRange(rest_, 0, 1);
    nodes_.push_back({.kind = kind, .text = character});
    rest_.remove_prefix(character.size());
  }

  std::string_view rest_;
  std::vector<TimeFormatNode>& nodes_;
};

}  // namespace

Result<TimeFormat> TimeFormat::Parse(std::string_view text) {
  TimeFormat format;
  format.text_ = std::make_unique<const std::string>(text);
  MR_TRY(FormatParser(*format.text_, format.nodes_).Parse());
  return format;
}

}  // namespace millrace::internal
