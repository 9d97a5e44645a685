#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/calendar.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/interval_math.h"

namespace millrace::internal {

namespace {

constexpr TypeId kZoned = TypeId::kTimestamptz;
constexpr TypeId kLocal = TypeId::kTimestamp;
constexpr TypeId kSpan = TypeId::kInterval;
constexpr TypeId kDate = TypeId::kDate;
constexpr TypeId kText = TypeId::kText;
constexpr TypeId kInt = TypeId::kInt32;
constexpr TypeId kDouble = TypeId::kFloat64;
/// Seconds with microseconds; the SQL binder narrows fields that are whole numbers.
constexpr DataType kFieldType = DataType::Numeric(DataType::kNumericPrecisionMax, 6);

void FailRange(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kDatetimeOutOfRange,
            fmt::format("{} out of range", call.type.ToString()));
}

// Units

std::unexpected<Error> UnknownUnit(std::string_view name) {
  return Err(ErrorCode::kInvalidCast, fmt::format("unit not recognised: {}", name));
}

/// Reads the unit in argument 0 of each row.
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
    const Error error = UnknownUnit(call_.argument(0).Text(row)).error();
    call_.Fail(row, error.code(), error.message());
  }

 private:
  const KernelCall& call_;
  bool constant_;
  std::optional<TimeUnit> unit_;
};

std::optional<Micros> Truncated(TimeUnit unit, Micros at) { return TruncateTime(unit, at); }
std::optional<Interval> Truncated(TimeUnit unit, const Interval& span) {
  return TruncateInterval(unit, span);
}

/// Refuses literal units that no value of type T has.
template <typename T>
Result<Prepared> PrepareTruncate(std::span<const Value* const> literals) {
  if (literals[0] != nullptr) {
    const auto& name = literals[0]->Get<std::string>();
    const auto unit = ParseTimeUnit(name);
    if (!unit || !Truncated(*unit, T{})) {
      return UnknownUnit(name);
    }
  }
  return nullptr;
}

template <typename T>
Column TruncateKernel(const KernelCall& call) {
  UnitReader units(call);
  return ComputeRows<T>(call, [&](size_t row) {
    const auto unit = units.At(row);
    const auto start = unit ? Truncated(*unit, call.argument(1).At<T>(row)) : std::nullopt;
    if (!start) {
      units.Fail(row);
    }
    return start.value_or(T{});
  });
}

std::optional<Int128> FieldOf(TimeUnit unit, Micros at) { return ExtractField(unit, at); }
std::optional<Int128> FieldOf(TimeUnit unit, int32_t date) {
  return ExtractField(unit, date * kMicrosPerDay);
}
std::optional<Int128> FieldOf(TimeUnit unit, const Interval& span) {
  return ExtractField(unit, span);
}

/// A date has no time of day; date_part is lenient there, as in PostgreSQL.
template <typename In, typename Out>
bool HasUnit(TimeUnit unit) {
  return !std::is_same_v<In, int32_t> || std::is_same_v<Out, double> || unit == TimeUnit::kEpoch ||
         unit >= TimeUnit::kDay;
}

/// extract gives millionths as numeric, date_part the same as double precision.
template <typename In, typename Out>
Column FieldKernel(const KernelCall& call) {
  UnitReader units(call);
  return ComputeRows<Out>(call, [&](size_t row) -> Out {
    const auto unit = units.At(row);
    const bool known = unit && HasUnit<In, Out>(*unit);
    const auto field = known ? FieldOf(*unit, call.argument(1).At<In>(row)) : std::nullopt;
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

/// The begin of the stride, counted from an origin, that holds a time.
Column BinKernel(const KernelCall& call) {
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    const auto stride = call.argument(0).At<Interval>(row);
    const Int128 width = Int128{stride.days} * kMicrosPerDay + stride.micros;
    if (stride.months != 0 || width <= 0) {
      call.Fail(row, ErrorCode::kDatetimeOutOfRange,
                "a stride must be longer than zero and have no months");
      return 0;
    }
    const Int128 origin = call.argument(2).At<Micros>(row);
    const Int128 past = call.argument(1).At<Micros>(row) - origin;
    const Int128 start = origin + past - (past % width + width) % width;
    if (start < kTimestampMin) {
      FailRange(call, row);
      return 0;
    }
    return static_cast<Micros>(start);
  });
}

// Spans

template <std::optional<Interval> (*kJustify)(const Interval&)>
Column JustifyKernel(const KernelCall& call) {
  return MapUnaryChecked<Interval, Interval>(
      call,
      [](const Interval& span) -> Checked<Interval> {
        const auto result = kJustify(span);
        return {.value = result.value_or(Interval{}), .failed = !result};
      },
      [&](size_t row) { FailRange(call, row); });
}

Column AgeKernel(const KernelCall& call) { return MapBinary<Micros, Micros, Interval>(call, Age); }

// Making

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

int32_t IntAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).At<int32_t>(row);
}

/// The day of arguments 0 to 2.
std::optional<int32_t> MadeDate(const KernelCall& call, size_t row) {
  const int32_t year = IntAt(call, 0, row);
  const int32_t month = IntAt(call, 1, row);
  const int32_t day = IntAt(call, 2, row);
  const bool valid = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
                     day <= static_cast<int32_t>(DaysInMonth(year, static_cast<uint32_t>(month)));
  return valid ? std::optional(
                     DaysFromCivil(year, static_cast<uint32_t>(month), static_cast<uint32_t>(day)))
               : std::nullopt;
}

Column MakeDateKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const auto date = MadeDate(call, row);
    if (!date) {
      FailRange(call, row);
    }
    return date.value_or(0);
  });
}

Column MakeTimestampKernel(const KernelCall& call) {
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    const auto made = MakeTimestamp(call, row);
    if (!made) {
      FailRange(call, row);
    }
    return made.value_or(0);
  });
}

/// make_interval(years, months, weeks, days, hours, mins, secs).
Column MakeIntervalKernel(const KernelCall& call) {
  return ComputeRows<Interval>(call, [&](size_t row) {
    const double seconds = call.argument(6).At<double>(row);
    const double micros = std::rint(seconds * 1e6);
    constexpr double kLimit = 9e18;
    const Int128 time = Int128{IntAt(call, 4, row)} * 3600 + Int128{IntAt(call, 5, row)} * 60;
    const auto span = std::abs(micros) < kLimit
                          ? MakeInterval(Int128{IntAt(call, 0, row)} * 12 + IntAt(call, 1, row),
                                         Int128{IntAt(call, 2, row)} * 7 + IntAt(call, 3, row),
                                         time * kMicrosPerSecond + static_cast<int64_t>(micros))
                          : std::nullopt;
    if (!span) {
      FailRange(call, row);
    }
    return span.value_or(Interval{});
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         DataType result, Kernel kernel, ScalarFunction::Prepare prepare = nullptr) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = result,
                 .kernel = kernel,
                 .prepare = prepare});
}

}  // namespace

std::optional<Micros> MakeTimestamp(const KernelCall& call, size_t row) {
  const auto date = MadeDate(call, row);
  const int32_t hour = IntAt(call, 3, row);
  const int32_t minute = IntAt(call, 4, row);
  const double seconds = call.argument(5).At<double>(row);
  // 24:00:00 and second 60 carry over, as in PostgreSQL.
  const bool valid = date && hour >= 0 && minute >= 0 && minute < 60 && seconds >= 0 &&
                     seconds <= 60 && (hour < 24 || (hour == 24 && minute == 0 && seconds == 0));
  if (!valid) {
    return std::nullopt;
  }
  const Int128 at = *date * kMicrosPerDay + (hour * 60 + minute) * 60 * kMicrosPerSecond +
                    static_cast<Micros>(std::rint(seconds * 1e6));
  return at <= kTimestampMax ? std::optional(static_cast<Micros>(at)) : std::nullopt;
}

void AddTimeFunctions(std::vector<ScalarFunction>& out) {
  const DataType span = DataType::Of(kSpan);
  for (const TypeId time : {kZoned, kLocal}) {
    const DataType type = DataType::Of(time);
    Add(out, "date_trunc", {kText, time}, type, TruncateKernel<Micros>, PrepareTruncate<Micros>);
    Add(out, "date_bin", {kSpan, time, time}, type, BinKernel);
    Add(out, "extract", {kText, time}, kFieldType, FieldKernel<Micros, Int128>);
    Add(out, "date_part", {kText, time}, DataType::Of(kDouble), FieldKernel<Micros, double>);
    Add(out, "age", {time, time}, span, AgeKernel);
    out.back().may_fail = false;
  }
  Add(out, "date_trunc", {kText, kSpan}, span, TruncateKernel<Interval>, PrepareTruncate<Interval>);
  Add(out, "extract", {kText, kDate}, kFieldType, FieldKernel<int32_t, Int128>);
  Add(out, "extract", {kText, kSpan}, kFieldType, FieldKernel<Interval, Int128>);
  Add(out, "date_part", {kText, kDate}, DataType::Of(kDouble), FieldKernel<int32_t, double>);
  Add(out, "date_part", {kText, kSpan}, DataType::Of(kDouble), FieldKernel<Interval, double>);
  Add(out, "justify_interval", {kSpan}, span, JustifyKernel<JustifyInterval>);
  Add(out, "justify_days", {kSpan}, span, JustifyKernel<JustifyDays>);
  Add(out, "justify_hours", {kSpan}, span, JustifyKernel<JustifyHours>);
  Add(out, "to_timestamp", {kDouble}, DataType::Of(kZoned), ToTimestampKernel);
  Add(out, "make_date", {kInt, kInt, kInt}, DataType::Of(kDate), MakeDateKernel);
  const std::vector<TypeId> clock = {kInt, kInt, kInt, kInt, kInt, kDouble};
  Add(out, "make_timestamp", clock, DataType::Of(kLocal), MakeTimestampKernel);
  Add(out, "make_timestamptz", clock, DataType::Of(kZoned), MakeTimestampKernel);
  Add(out, "make_interval", {kInt, kInt, kInt, kInt, kInt, kInt, kDouble}, span,
      MakeIntervalKernel);
}

}  // namespace millrace::internal
