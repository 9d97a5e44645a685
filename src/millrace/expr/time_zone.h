#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/data/types.h"

namespace date {
class time_zone;
}

namespace millrace::internal {

/// A time zone: of the machine's IANA database, or a fixed distance from UTC. A value; immutable.
class TimeZone final {
 public:
  /// UTC.
  TimeZone() = default;

  /// `name`: an IANA name in any case, or one of PostgreSQL's abbreviations of a fixed offset (CET,
  /// EST). An offset such as +02 is refused: to some it is east, to PostgreSQL west. kInvalidCast.
  static Result<TimeZone> Find(std::string_view name);
  /// `offset_seconds`: local time less UTC.
  static TimeZone Fixed(int64_t offset_seconds);

 private:
  friend class ZoneClock;

  const date::time_zone* zone_ = nullptr;
  int64_t offset_ = 0;  ///< Seconds, where there is no zone.
};

/// Converts many times of one zone, fastest when they come in order. Not thread-safe: one for each
/// call of a kernel.
class ZoneClock final {
 public:
  explicit ZoneClock(const TimeZone& zone) : zone_(zone) {}

  /// What a clock shows at an instant; none when out of range.
  std::optional<Micros> ToLocal(Micros utc);
  /// The instant at which a clock shows `local`, none when out of range. Where it was set back the
  /// later of two; where it was set forward as if it had not been yet.
  std::optional<Micros> ToUtc(Micros local);

 private:
  int64_t OffsetAt(int64_t utc);
  int64_t LocalOffset(int64_t local);

  TimeZone zone_;
  // The stretch of time with one offset that was looked up last, in seconds.
  int64_t begin_ = 0;
  int64_t end_ = 0;
  int64_t offset_ = 0;
};

}  // namespace millrace::internal
