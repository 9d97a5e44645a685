#include "millrace/expr/interval_math.h"

#include <cmath>
#include <limits>

namespace millrace::internal {

namespace {

constexpr int32_t kDaysPerMonth = 30;
constexpr int32_t kMonthsPerYear = 12;
constexpr double kSecondsPerDay = 86'400;

bool Narrow(Int128 value, int32_t& out) {
  out = static_cast<int32_t>(value);
  return value == out;
}

/// PostgreSQL's TSROUND: away with the noise behind the microseconds.
double RoundToMicros(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

bool FitsInt32(double value) {
  return value >= std::numeric_limits<int32_t>::min() &&
         value <= std::numeric_limits<int32_t>::max();
}

/// interval_mul and interval_div of PostgreSQL 15 (timestamp.c). `scaled(x)` is x times the factor
/// or through the divisor.
template <typename Scaled>
std::optional<Interval> Scale(const Interval& span, Scaled scaled) {
  const double months = scaled(static_cast<double>(span.months));
  const double days = scaled(static_cast<double>(span.days));
  if (!FitsInt32(months) || !FitsInt32(days)) {
    return std::nullopt;
  }
  const auto whole_months = static_cast<int32_t>(months);
  const auto whole_days = static_cast<int32_t>(days);
  const double month_rest = RoundToMicros((months - whole_months) * kDaysPerMonth);
  const auto month_rest_days = static_cast<int32_t>(month_rest);
  double seconds =
      RoundToMicros((days - whole_days + month_rest - month_rest_days) * kSecondsPerDay);
  Int128 all_days = Int128{whole_days} + month_rest_days;
  if (std::abs(seconds) >= kSecondsPerDay) {
    const auto carried = static_cast<int32_t>(seconds / kSecondsPerDay);
    all_days += carried;
    seconds -= carried * kSecondsPerDay;
  }
  const double micros =
      std::rint(scaled(static_cast<double>(span.micros)) + seconds * kMicrosPerSecond);
  constexpr double kLimit = 9'223'372'036'854'775'808.0;  // 2^63
  if (!(micros >= -kLimit && micros < kLimit)) {
    return std::nullopt;
  }
  return MakeInterval(whole_months, all_days, static_cast<int64_t>(micros));
}

}  // namespace

std::optional<Interval> MakeInterval(Int128 months, Int128 days, Int128 micros) {
  Interval span;
  const bool fits = Narrow(months, span.months) && Narrow(days, span.days) &&
                    micros <= std::numeric_limits<Micros>::max() &&
                    micros >= std::numeric_limits<Micros>::min();
  span.micros = static_cast<Micros>(micros);
  return fits ? std::optional(span) : std::nullopt;
}

std::optional<Interval> AddIntervals(const Interval& a, const Interval& b) {
  return MakeInterval(Int128{a.months} + b.months, Int128{a.days} + b.days,
                      Int128{a.micros} + b.micros);
}

std::optional<Interval> SubtractIntervals(const Interval& a, const Interval& b) {
  return MakeInterval(Int128{a.months} - b.months, Int128{a.days} - b.days,
                      Int128{a.micros} - b.micros);
}

std::optional<Interval> MultiplyInterval(const Interval& span, double factor) {
  return Scale(span, [factor](double part) { return part * factor; });
}

std::optional<Interval> DivideInterval(const Interval& span, double divisor) {
  return Scale(span, [divisor](double part) { return part / divisor; });
}

std::optional<Interval> JustifyInterval(const Interval& span) {
  constexpr Int128 kMonth = Int128{kDaysPerMonth} * kMicrosPerDay;
  const Int128 total = IntervalOrder(span);
  return MakeInterval(total / kMonth, total % kMonth / kMicrosPerDay,
                      total % kMonth % kMicrosPerDay);
}

std::optional<Interval> JustifyDays(const Interval& span) {
  Int128 months = Int128{span.months} + span.days / kDaysPerMonth;
  int32_t days = span.days % kDaysPerMonth;
  if (months > 0 && days < 0) {
    days += kDaysPerMonth;
    --months;
  } else if (months < 0 && days > 0) {
    days -= kDaysPerMonth;
    ++months;
  }
  return MakeInterval(months, days, span.micros);
}

std::optional<Interval> JustifyHours(const Interval& span) {
  Int128 days = Int128{span.days} + span.micros / kMicrosPerDay;
  Micros micros = span.micros % kMicrosPerDay;
  if (days > 0 && micros < 0) {
    micros += kMicrosPerDay;
    --days;
  } else if (days < 0 && micros > 0) {
    micros -= kMicrosPerDay;
    ++days;
  }
  return MakeInterval(span.months, days, micros);
}

std::optional<Interval> TruncateInterval(TimeUnit unit, const Interval& span) {
  const auto months = [&](int32_t whole) {
    return Interval{.months = span.months / whole * whole, .days = 0, .micros = 0};
  };
  const auto micros = [&](Micros whole) {
    return Interval{span.months, span.days, span.micros / whole * whole};
  };
  switch (unit) {
    case TimeUnit::kMicroseconds:
      return span;
    case TimeUnit::kMilliseconds:
      return micros(1000);
    case TimeUnit::kSecond:
      return micros(kMicrosPerSecond);
    case TimeUnit::kMinute:
      return micros(60 * kMicrosPerSecond);
    case TimeUnit::kHour:
      return micros(3600 * kMicrosPerSecond);
    case TimeUnit::kDay:
      return Interval{.months = span.months, .days = span.days, .micros = 0};
    case TimeUnit::kMonth:
      return months(1);
    case TimeUnit::kQuarter:
      return months(3);
    case TimeUnit::kYear:
      return months(kMonthsPerYear);
    case TimeUnit::kDecade:
      return months(10 * kMonthsPerYear);
    case TimeUnit::kCentury:
      return months(100 * kMonthsPerYear);
    case TimeUnit::kMillennium:
      return months(1000 * kMonthsPerYear);
    default:
      return std::nullopt;
  }
}

}  // namespace millrace::internal
