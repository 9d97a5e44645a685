#pragma once

#include <optional>

#include "millrace/base/int128.h"
#include "millrace/data/types.h"
#include "millrace/expr/calendar.h"

namespace millrace::internal {

// Arithmetic on intervals as PostgreSQL does it. Results without a value are out of range.

/// Each part must fit.
std::optional<Interval> MakeInterval(Int128 months, Int128 days, Int128 micros);
std::optional<Interval> AddIntervals(const Interval& a, const Interval& b);
std::optional<Interval> SubtractIntervals(const Interval& a, const Interval& b);

/// Fractions of months become days of a month of 30, fractions of days become time.
std::optional<Interval> MultiplyInterval(const Interval& span, double factor);
/// `divisor` is not zero.
std::optional<Interval> DivideInterval(const Interval& span, double divisor);

/// The equal interval whose parts have one sign and no more days than a month of 30 and no more
/// time than a day.
std::optional<Interval> JustifyInterval(const Interval& span);
/// Days beyond 30 become months.
std::optional<Interval> JustifyDays(const Interval& span);
/// Time beyond 24 hours becomes days.
std::optional<Interval> JustifyHours(const Interval& span);

/// The whole units; none for units that date_trunc does not take of intervals.
std::optional<Interval> TruncateInterval(TimeUnit unit, const Interval& span);

}  // namespace millrace::internal
