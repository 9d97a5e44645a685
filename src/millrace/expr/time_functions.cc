#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "millrace/expr/calendar.h"
#include "millrace/expr/functions.h"

namespace millrace::internal {

namespace {

constexpr TypeId kTime = TypeId::kTimestamptz;
constexpr TypeId kSpan = TypeId::kInterval;
constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kInt = TypeId::kInt32;
constexpr TypeId kDouble = TypeId::kFloat64;
/// Seconds with microseconds; the SQL binder narrows fields that are whole numbers.
constexpr DataType kFieldType = DataType::Numeric(DataType::kNumericPrecisionMax, 6);

void FailRange(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kDatetimeOutOfRange,
            fmt::format("{} out of range", call.type.ToString()));
}

template <typename T>
Checked<T> FromOptional(const std::optional<T>& value) {
  return {.value = value.value_or(T{}), .failed = !value};
}

bool Narrow(Int128 value, int32_t& out) {
  out = static_cast<int32_t>(value);
  return value == out;
}

Checked<Interval> MakeInterval(Int128 months, Int128 days, Int128 micros) {
  Checked<Interval> result;
  result.failed = !Narrow(months, result.value.months) || !Narrow(days, result.value.days) ||
                  micros > std::numeric_limits<Micros>::max() ||
                  micros < std::numeric_limits<Micros>::min();
  result.value.micros = result.failed ? 0 : static_cast<Micros>(micros);
  result.value = result.failed ? Interval{} : result.value;
  return result;
}

template <int kSign>
Checked<Interval> Combine(const Interval& a, const Interval& b) {
  return MakeInterval(Int128{a.months} + kSign * Int128{b.months},
                      Int128{a.days} + kSign * Int128{b.days},
                      Int128{a.micros} + kSign * Int128{b.micros});
}

/// As PostgreSQL's interval_mul: fractions of months become days, fractions of days become time.
Checked<Interval> Scale(const Interval& span, double factor) {
  const double months = span.months * factor;
  const double days = span.days * factor + (months - std::trunc(months)) * 30;
  const double micros = static_cast<double>(span.micros) * factor +
                        std::round((days - std::trunc(days)) * static_cast<double>(kMicrosPerDay));
  constexpr double kLimit = 9e18;
  if (!std::isfinite(micros) || std::abs(micros) > kLimit || std::abs(days) > kLimit ||
      std::abs(months) > kLimit) {
    return {.value = {}, .failed = true};
  }
  return MakeInterval(static_cast<int64_t>(months), static_cast<int64_t>(days),
                      static_cast<int64_t>(std::nearbyint(micros)));
}

/// The one interval of all equal ones whose parts have one sign and no more days than a month and
/// no more time than a day.
Checked<Interval> Justify(const Interval& span) {
  constexpr Int128 kMonth = Int128{30} * kMicrosPerDay;
  const Int128 total = IntervalOrder(span);
  return MakeInterval(total / kMonth, total % kMonth / kMicrosPerDay,
                      total % kMonth % kMicrosPerDay);
}

/// PostgreSQL's justify_hours over the difference: whole days and the rest.
Checked<Interval> Between(Micros a, Micros b) {
  const Micros difference = a - b;
  return MakeInterval(0, difference / kMicrosPerDay, difference % kMicrosPerDay);
}

Interval Negated(const Interval& span) { return {-span.months, -span.days, -span.micros}; }

template <typename Left, typename Right, typename Out, auto kOperation>
Column TimeKernel(const KernelCall& call) {
  return MapBinaryChecked<Left, Right, Out>(
      call, [](const Left& a, const Right& b) { return kOperation(a, b); },
      [&](size_t row) { FailRange(call, row); });
}

Checked<Micros> TimePlus(Micros at, const Interval& span) {
  return FromOptional(AddInterval(at, span));
}
Checked<Micros> TimeMinus(Micros at, const Interval& span) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  if (span.months == kMin || span.days == kMin ||
      span.micros == std::numeric_limits<Micros>::min()) {
    return {.value = 0, .failed = true};
  }
  return FromOptional(AddInterval(at, Negated(span)));
}
Checked<Micros> PlusTime(const Interval& span, Micros at) { return TimePlus(at, span); }
Checked<Micros> DatePlusSpan(int32_t date, const Interval& span) {
  return TimePlus(date * kMicrosPerDay, span);
}
Checked<Micros> DateMinusSpan(int32_t date, const Interval& span) {
  return TimeMinus(date * kMicrosPerDay, span);
}
Checked<int32_t> CheckedDate(int64_t days) {
  const bool fits = days >= kDateMin && days <= kDateMax;
  return {.value = fits ? static_cast<int32_t>(days) : 0, .failed = !fits};
}
Checked<int32_t> DatePlus(int32_t date, int32_t days) { return CheckedDate(int64_t{date} + days); }
Checked<int32_t> PlusDate(int32_t days, int32_t date) { return DatePlus(date, days); }
Checked<int32_t> DateMinus(int32_t date, int32_t days) { return CheckedDate(int64_t{date} - days); }
Checked<int32_t> DateDifference(int32_t a, int32_t b) { return {.value = a - b, .failed = false}; }
Checked<Interval> ScaleFirst(double factor, const Interval& span) { return Scale(span, factor); }

Column DivideSpanKernel(const KernelCall& call) {
  return MapBinaryChecked<Interval, double, Interval>(
      call,
      [](const Interval& span, double divisor) {
        return divisor == 0 ? Checked<Interval>{.value = {}, .failed = true}
                            : Scale(span, 1 / divisor);
      },
      [&](size_t row) {
        if (call.argument(1).At<double>(row) == 0) {
          call.Fail(row, ErrorCode::kDivisionByZero, "division by zero");
        } else {
          FailRange(call, row);
        }
      });
}

Column NegateSpanKernel(const KernelCall& call) {
  return MapUnaryChecked<Interval, Interval>(
      call, [](const Interval& span) { return Combine<-1>({}, span); },
      [&](size_t row) { FailRange(call, row); });
}

Column JustifyKernel(const KernelCall& call) {
  return MapUnaryChecked<Interval, Interval>(call, Justify,
                                             [&](size_t row) { FailRange(call, row); });
}

/// Reads the unit in argument 0 of each row; reports unknown ones.
class UnitReader {
 public:
  explicit UnitReader(const KernelCall& call) : call_(call), constant_(call.argument(0).constant) {
    if (constant_ && !call.argument(0).IsNull(0)) {
      unit_ = ParseTimeUnit(call.argument(0).Text(0));
    }
  }
  std::optional<TimeUnit> At(size_t row) {
    return constant_ ? unit_ : ParseTimeUnit(call_.argument(0).Text(row));
  }
  void Fail(size_t row) const {
    call_.Fail(row, ErrorCode::kInvalidCast,
               fmt::format("unit not recognised: {}", call_.argument(0).Text(row)));
  }

 private:
  const KernelCall& call_;
  bool constant_;
  std::optional<TimeUnit> unit_;
};

Column TruncateKernel(const KernelCall& call) {
  UnitReader units(call);
  return ComputeRows<Micros>(call, [&](size_t row) {
    const auto unit = units.At(row);
    const auto start = unit ? TruncateTime(*unit, call.argument(1).At<Micros>(row)) : std::nullopt;
    if (!start) {
      units.Fail(row);
    }
    return start.value_or(0);
  });
}

std::optional<Int128> FieldOf(TimeUnit unit, Micros at) { return ExtractField(unit, at); }
std::optional<Int128> FieldOf(TimeUnit unit, int32_t date) {
  return ExtractField(unit, date * kMicrosPerDay);
}
std::optional<Int128> FieldOf(TimeUnit unit, const Interval& span) {
  return ExtractField(unit, span);
}

/// extract gives millionths as numeric, date_part the same as double precision.
template <typename In, typename Out>
Column FieldKernel(const KernelCall& call) {
  UnitReader units(call);
  return ComputeRows<Out>(call, [&](size_t row) -> Out {
    const auto unit = units.At(row);
    const auto field = unit ? FieldOf(*unit, call.argument(1).At<In>(row)) : std::nullopt;
    if (!field) {
      units.Fail(row);
      return Out{};
    }
    if constexpr (std::is_same_v<Out, double>) {
      return static_cast<double>(*field) / 1e6;
    } else {
      return *field;
    }
  });
}

Column ToTimestampKernel(const KernelCall& call) {
  return MapUnaryChecked<double, Micros>(
      call,
      [](double seconds) -> Checked<Micros> {
        const double micros = std::nearbyint(seconds * 1e6);
        const bool fits = micros >= static_cast<double>(kTimestampMin) &&
                          micros <= static_cast<double>(kTimestampMax);
        return {.value = fits ? static_cast<Micros>(micros) : 0, .failed = !fits};
      },
      [&](size_t row) { FailRange(call, row); });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         DataType result, Kernel kernel) {
  out.push_back(
      {.name = name, .arguments = std::move(arguments), .result = result, .kernel = kernel});
}

void AddOperators(std::vector<ScalarFunction>& out) {
  const DataType time = DataType::Of(kTime);
  const DataType span = DataType::Of(kSpan);
  const DataType date = DataType::Of(kDate);
  Add(out, "+", {kTime, kSpan}, time, TimeKernel<Micros, Interval, Micros, TimePlus>);
  Add(out, "+", {kSpan, kTime}, time, TimeKernel<Interval, Micros, Micros, PlusTime>);
  Add(out, "-", {kTime, kSpan}, time, TimeKernel<Micros, Interval, Micros, TimeMinus>);
  Add(out, "-", {kTime, kTime}, span, TimeKernel<Micros, Micros, Interval, Between>);
  Add(out, "+", {kDate, kSpan}, time, TimeKernel<int32_t, Interval, Micros, DatePlusSpan>);
  Add(out, "-", {kDate, kSpan}, time, TimeKernel<int32_t, Interval, Micros, DateMinusSpan>);
  Add(out, "+", {kDate, kInt}, date, TimeKernel<int32_t, int32_t, int32_t, DatePlus>);
  Add(out, "+", {kInt, kDate}, date, TimeKernel<int32_t, int32_t, int32_t, PlusDate>);
  Add(out, "-", {kDate, kInt}, date, TimeKernel<int32_t, int32_t, int32_t, DateMinus>);
  Add(out, "-", {kDate, kDate}, DataType::Of(kInt),
      TimeKernel<int32_t, int32_t, int32_t, DateDifference>);
  Add(out, "+", {kSpan, kSpan}, span, TimeKernel<Interval, Interval, Interval, Combine<1>>);
  Add(out, "-", {kSpan, kSpan}, span, TimeKernel<Interval, Interval, Interval, Combine<-1>>);
  Add(out, "*", {kSpan, kDouble}, span, TimeKernel<Interval, double, Interval, Scale>);
  Add(out, "*", {kDouble, kSpan}, span, TimeKernel<double, Interval, Interval, ScaleFirst>);
  Add(out, "/", {kSpan, kDouble}, span, DivideSpanKernel);
  Add(out, "-", {kSpan}, span, NegateSpanKernel);
}

}  // namespace

void AddTimeFunctions(std::vector<ScalarFunction>& out) {
  constexpr TypeId kText = TypeId::kText;
  AddOperators(out);
  Add(out, "date_trunc", {kText, kTime}, DataType::Of(kTime), TruncateKernel);
  Add(out, "extract", {kText, kTime}, kFieldType, FieldKernel<Micros, Int128>);
  Add(out, "extract", {kText, kDate}, kFieldType, FieldKernel<int32_t, Int128>);
  Add(out, "extract", {kText, kSpan}, kFieldType, FieldKernel<Interval, Int128>);
  Add(out, "date_part", {kText, kTime}, DataType::Of(kDouble), FieldKernel<Micros, double>);
  Add(out, "date_part", {kText, kDate}, DataType::Of(kDouble), FieldKernel<int32_t, double>);
  Add(out, "date_part", {kText, kSpan}, DataType::Of(kDouble), FieldKernel<Interval, double>);
  Add(out, "justify_interval", {kSpan}, DataType::Of(kSpan), JustifyKernel);
  Add(out, "to_timestamp", {kDouble}, DataType::Of(kTime), ToTimestampKernel);
}

}  // namespace millrace::internal
