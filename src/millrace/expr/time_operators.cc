#include <limits>
#include <optional>

#include <fmt/format.h>

#include "millrace/expr/calendar.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/interval_math.h"

namespace millrace::internal {

namespace {

// Arithmetic of times, dates and intervals. Both kinds of timestamps count in UTC.

constexpr TypeId kZoned = TypeId::kTimestamptz;
constexpr TypeId kLocal = TypeId::kTimestamp;
constexpr TypeId kSpan = TypeId::kInterval;
constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kInt = TypeId::kInt32;
constexpr TypeId kDouble = TypeId::kFloat64;

template <typename Left, typename Right, typename Out, auto kOperation>
Column TimeKernel(const KernelCall& call) {
  return MapBinaryChecked<Left, Right, Out>(
      call,
      [](const Left& a, const Right& b) -> Checked<Out> {
        const std::optional<Out> result = kOperation(a, b);
        return {.value = result.value_or(Out{}), .failed = !result};
      },
      [&](size_t row) {
        call.Fail(row, ErrorCode::kDatetimeOutOfRange,
                  fmt::format("{} out of range", call.type.ToString()));
      });
}

std::optional<Micros> TimePlus(Micros at, const Interval& span) { return AddInterval(at, span); }
std::optional<Micros> TimeMinus(Micros at, const Interval& span) {
  const auto negated = SubtractIntervals({}, span);
  return negated ? AddInterval(at, *negated) : std::nullopt;
}
std::optional<Micros> PlusTime(const Interval& span, Micros at) { return TimePlus(at, span); }
std::optional<Micros> DatePlusSpan(int32_t date, const Interval& span) {
  return TimePlus(date * kMicrosPerDay, span);
}
std::optional<Micros> SpanPlusDate(const Interval& span, int32_t date) {
  return DatePlusSpan(date, span);
}
std::optional<Micros> DateMinusSpan(int32_t date, const Interval& span) {
  return TimeMinus(date * kMicrosPerDay, span);
}
/// Whole days and the rest: PostgreSQL's justify_hours over the difference.
std::optional<Interval> Between(Micros a, Micros b) {
  const Micros difference = a - b;
  return MakeInterval(0, difference / kMicrosPerDay, difference % kMicrosPerDay);
}

std::optional<int32_t> CheckedDate(int64_t days) {
  const bool fits = days >= kDateMin && days <= kDateMax;
  return fits ? std::optional(static_cast<int32_t>(days)) : std::nullopt;
}
std::optional<int32_t> DatePlus(int32_t date, int32_t days) {
  return CheckedDate(int64_t{date} + days);
}
std::optional<int32_t> PlusDate(int32_t days, int32_t date) { return DatePlus(date, days); }
std::optional<int32_t> DateMinus(int32_t date, int32_t days) {
  return CheckedDate(int64_t{date} - days);
}
std::optional<int32_t> DateDifference(int32_t a, int32_t b) { return a - b; }

std::optional<Interval> MultiplyFirst(double factor, const Interval& span) {
  return MultiplyInterval(span, factor);
}

Column DivideKernel(const KernelCall& call) {
  return MapBinaryChecked<Interval, double, Interval>(
      call,
      [](const Interval& span, double divisor) -> Checked<Interval> {
        const auto result = divisor == 0 ? std::nullopt : DivideInterval(span, divisor);
        return {.value = result.value_or(Interval{}), .failed = !result};
      },
      [&](size_t row) {
        const bool zero = call.argument(1).At<double>(row) == 0;
        call.Fail(row, zero ? ErrorCode::kDivisionByZero : ErrorCode::kDatetimeOutOfRange,
                  zero ? "division by zero" : "interval out of range");
      });
}

Column NegateKernel(const KernelCall& call) {
  return MapUnaryChecked<Interval, Interval>(
      call,
      [](const Interval& span) -> Checked<Interval> {
        const auto result = SubtractIntervals({}, span);
        return {.value = result.value_or(Interval{}), .failed = !result};
      },
      [&](size_t row) { call.Fail(row, ErrorCode::kDatetimeOutOfRange, "interval out of range"); });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         TypeId result, Kernel kernel) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(result),
                 .kernel = kernel});
}

}  // namespace

void AddTimeOperators(std::vector<ScalarFunction>& out) {
  for (const TypeId time : {kZoned, kLocal}) {
    Add(out, "+", {time, kSpan}, time, TimeKernel<Micros, Interval, Micros, TimePlus>);
    Add(out, "+", {kSpan, time}, time, TimeKernel<Interval, Micros, Micros, PlusTime>);
    Add(out, "-", {time, kSpan}, time, TimeKernel<Micros, Interval, Micros, TimeMinus>);
    Add(out, "-", {time, time}, kSpan, TimeKernel<Micros, Micros, Interval, Between>);
  }
  Add(out, "+", {kDate, kSpan}, kLocal, TimeKernel<int32_t, Interval, Micros, DatePlusSpan>);
  Add(out, "+", {kSpan, kDate}, kLocal, TimeKernel<Interval, int32_t, Micros, SpanPlusDate>);
  Add(out, "-", {kDate, kSpan}, kLocal, TimeKernel<int32_t, Interval, Micros, DateMinusSpan>);
  Add(out, "+", {kDate, kInt}, kDate, TimeKernel<int32_t, int32_t, int32_t, DatePlus>);
  Add(out, "+", {kInt, kDate}, kDate, TimeKernel<int32_t, int32_t, int32_t, PlusDate>);
  Add(out, "-", {kDate, kInt}, kDate, TimeKernel<int32_t, int32_t, int32_t, DateMinus>);
  Add(out, "-", {kDate, kDate}, kInt, TimeKernel<int32_t, int32_t, int32_t, DateDifference>);
  Add(out, "+", {kSpan, kSpan}, kSpan, TimeKernel<Interval, Interval, Interval, AddIntervals>);
  Add(out, "-", {kSpan, kSpan}, kSpan, TimeKernel<Interval, Interval, Interval, SubtractIntervals>);
  Add(out, "*", {kSpan, kDouble}, kSpan, TimeKernel<Interval, double, Interval, MultiplyInterval>);
  Add(out, "*", {kDouble, kSpan}, kSpan, TimeKernel<double, Interval, Interval, MultiplyFirst>);
  Add(out, "/", {kSpan, kDouble}, kSpan, DivideKernel);
  Add(out, "-", {kSpan}, kSpan, NegateKernel);
}

}  // namespace millrace::internal
