#pragma once

#include <string>
#include <string_view>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"

namespace date {
class time_zone;
}

namespace millrace {

/// A time zone of the machine's IANA database, for text that does not say its own. Immutable.
class LocalTime {
 public:
  /// UTC, which needs no database.
  LocalTime() = default;

  /// `name`: an IANA name, "UTC", or "local" for the machine's own zone. Error:
  /// kConfigInvalidValue.
  static Result<LocalTime> Find(const std::string& name);

  bool is_utc() const { return zone_ == nullptr; }
  /// Its IANA name, or UTC.
  std::string name() const;

  /// Takes a time that was read as if it were UTC for one on a clock of this zone. Where the clock
  /// was set back the earlier of two is meant, where it was set forward the instant of the change.
  Micros ToUtc(Micros local) const;

  /// Local times in [begin, end) whose ToUtc is `local - offset`.
  struct Span {
    Micros begin = 0;
    Micros end = 0;
    Micros offset = 0;
  };
  /// Returns a span that holds `local`, or an empty one where the clock changes within a day.
  Span SpanAround(Micros local) const;

 private:
  const date::time_zone* zone_ = nullptr;
};

/// Returns whether text that is a valid timestamp names its zone: Z, UTC or an offset.
bool HasTimeZone(std::string_view timestamp);

}  // namespace millrace
