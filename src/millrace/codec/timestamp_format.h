#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/text_format.h"

namespace millrace {

/// In which form records hold timestamps: PostgreSQL's (ISO 8601), a pattern, or numbers since
/// 1970. Immutable once made.
///
/// A pattern has the letters of Java's DateTimeFormatter: yyyy, MM, dd, HH, mm and ss are digits of
/// that count, and M, d, H, h, m, s one or two; MMM is an English month such as Jan; hh and h go
/// with a, AM or PM. `fff` is so many digits of a fraction, a single f one to nine. X is a zone: Z,
/// +02, +0200 or +02:00. What stands in [ ] may be missing; letters in '...', T and all other
/// characters stand for themselves. Year, month and day are required.
class TimestampFormat {
 public:
  enum class Kind : uint8_t { kIso, kPattern, kEpoch };

  /// The pattern, when it has the usual fixed columns yyyy-MM-dd?HH:mm:ss with perhaps a fraction
  /// and a zone behind: what such a text must be like.
  struct Columns {
    bool fraction_may_miss = true;
    uint8_t fraction_digits_min = 1;  ///< Of a fraction that is there.
    uint8_t fraction_digits_max = 6;
    bool zone_may_miss = true;
    bool zone_may_be_z = true;
  };

  /// PostgreSQL's own forms: ScanTimestamptz.
  TimestampFormat() = default;

  /// `text`: "iso", "epoch_seconds", "epoch_millis", "epoch_micros" or a pattern. Error:
  /// kConfigInvalidValue.
  static Result<TimestampFormat> Parse(std::string_view text);

  Kind kind() const { return kind_; }
  /// As it was parsed.
  const std::string& text() const { return text_; }

  /// Reads a whole text, as UTC where it names no zone; `has_zone` says whether it does. With
  /// kEpoch the text is a number.
  ScanOutcome Scan(std::string_view text, Micros& out, bool& has_zone) const;

  const std::optional<Columns>& columns() const { return columns_; }

 private:
  enum class Part : uint8_t {
    kYear,
    kMonth,
    kMonthName,
    kDay,
    kHour,
    kHalfDayHour,
    kHalfDay,
    kMinute,
    kSecond,
    kFraction,
    kZone,
    kLiteral,
    kOptional,  ///< The next `size` steps may be missing.
  };
  struct Step {
    Part part = Part::kLiteral;
    uint8_t digits_min = 0;
    uint8_t digits_max = 0;
    char literal = '\0';
    uint16_t size = 0;  ///< Of kOptional.
  };
  class PatternReader;
  struct Reading;

  bool ReadSteps(size_t begin, size_t end, std::string_view text, Reading& reading) const;
  static bool ReadStep(const Step& step, std::string_view text, Reading& reading);

  std::string text_ = "iso";
  Kind kind_ = Kind::kIso;
  uint8_t epoch_digits_ = 0;  ///< Digits behind a unit's point that are microseconds.
  std::vector<Step> steps_;
  std::optional<Columns> columns_ = Columns{};
};

}  // namespace millrace
