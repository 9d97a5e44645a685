#include <optional>
#include <string>

#include <fmt/format.h>

#include "millrace/expr/calendar.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/time_zone.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kSpan = TypeId::kInterval;
constexpr TypeId kZoned = TypeId::kTimestamptz;
constexpr TypeId kLocal = TypeId::kTimestamp;
constexpr TypeId kInt = TypeId::kInt32;

template <size_t kZoneAt>
Result<Prepared> PrepareZone(std::span<const Value* const> literals) {
  if (literals[kZoneAt] == nullptr) {
    return nullptr;
  }
  MR_ASSIGN(const TimeZone zone, TimeZone::Find(literals[kZoneAt]->Get<std::string>()));
  return std::make_shared<const TimeZone>(zone);
}

/// Of date_trunc with a zone: both literals must be known.
Result<Prepared> PrepareTruncate(std::span<const Value* const> literals) {
  if (literals[0] != nullptr) {
    const auto& name = literals[0]->Get<std::string>();
    const auto unit = ParseTimeUnit(name);
    if (!unit || !TruncateTime(*unit, 0)) {
      return Err(ErrorCode::kInvalidCast, fmt::format("unit not recognised: {}", name));
    }
  }
  return PrepareZone<2>(literals);
}

/// Gives a clock of the zone of each row to a kernel whose function has PrepareZone.
class ClockReader {
 public:
  ClockReader(const KernelCall& call, size_t zone_at)
      : call_(call),
        zone_at_(zone_at),
        constant_(call.prepared != nullptr),
        clock_(constant_ ? *static_cast<const TimeZone*>(call.prepared) : TimeZone()) {}

  /// Null when the row has failed.
  ZoneClock* At(size_t row) {
    if (constant_) {
      return &clock_;
    }
    const std::string_view name = call_.argument(zone_at_).Text(row);
    if (name != name_ || !known_) {
      const auto zone = TimeZone::Find(name);
      known_ = zone.has_value();
      if (!known_) {
        call_.Fail(row, zone.error().code(), zone.error().message());
        return nullptr;
      }
      clock_ = ZoneClock(*zone);
      name_ = name;
    }
    return &clock_;
  }

 private:
  const KernelCall& call_;
  size_t zone_at_;
  bool constant_;
  ZoneClock clock_;
  std::string name_;
  bool known_ = false;
};

void FailRange(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kDatetimeOutOfRange,
            fmt::format("{} out of range", call.type.ToString()));
}

Micros OrFail(const KernelCall& call, size_t row, const std::optional<Micros>& at) {
  if (!at) {
    FailRange(call, row);
  }
  return at.value_or(0);
}

/// timezone(zone, at), which AT TIME ZONE is short for.
template <bool kToLocal>
Column ZoneKernel(const KernelCall& call) {
  ClockReader clocks(call, 0);
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    ZoneClock* clock = clocks.At(row);
    if (clock == nullptr) {
      return 0;
    }
    const Micros at = call.argument(1).At<Micros>(row);
    return OrFail(call, row, kToLocal ? clock->ToLocal(at) : clock->ToUtc(at));
  });
}

/// The same with the distance from UTC, east of it positive.
template <bool kToLocal>
Column OffsetKernel(const KernelCall& call) {
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    const auto offset = call.argument(0).At<Interval>(row);
    if (offset.months != 0 || offset.days != 0) {
      call.Fail(row, ErrorCode::kInvalidCast,
                "an interval as a time zone must not have months or days");
      return 0;
    }
    ZoneClock clock(TimeZone::Fixed(offset.micros / kMicrosPerSecond));
    const Micros at = call.argument(1).At<Micros>(row);
    return OrFail(call, row, kToLocal ? clock.ToLocal(at) : clock.ToUtc(at));
  });
}

/// date_trunc(unit, at, zone): where the unit begins by the clocks of the zone.
Column TruncateKernel(const KernelCall& call) {
  ClockReader clocks(call, 2);
  const Operand& names = call.argument(0);
  std::optional<TimeUnit> unit = names.constant ? ParseTimeUnit(names.Text(0)) : std::nullopt;
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    ZoneClock* clock = clocks.At(row);
    unit = names.constant ? unit : ParseTimeUnit(names.Text(row));
    if (clock == nullptr) {
      return 0;
    }
    if (!unit || !TruncateTime(*unit, 0)) {
      call.Fail(row, ErrorCode::kInvalidCast,
                fmt::format("unit not recognised: {}", names.Text(row)));
      return 0;
    }
    const Micros at = call.argument(1).At<Micros>(row);
    const auto local = clock->ToLocal(at);
    if (!local) {
      return OrFail(call, row, local);
    }
    const Micros start = *TruncateTime(*unit, *local);
    // Units below a day keep their distance from UTC, also where clocks are set.
    return *unit < TimeUnit::kDay ? at - (*local - start) : OrFail(call, row, clock->ToUtc(start));
  });
}

Column MakeKernel(const KernelCall& call) {
  constexpr size_t kZoneAt = 6;
  ClockReader clocks(call, kZoneAt);
  return ComputeRows<Micros>(call, [&](size_t row) -> Micros {
    ZoneClock* clock = clocks.At(row);
    if (clock == nullptr) {
      return 0;
    }
    const auto local = MakeTimestamp(call, row);
    return OrFail(call, row, local ? clock->ToUtc(*local) : std::nullopt);
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         TypeId result, Kernel kernel, ScalarFunction::Prepare prepare = nullptr) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .prepare = prepare});
}

}  // namespace

void AddTimeZoneFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "timezone", {kText, kZoned}, kLocal, ZoneKernel<true>, PrepareZone<0>);
  Add(out, "timezone", {kText, kLocal}, kZoned, ZoneKernel<false>, PrepareZone<0>);
  Add(out, "timezone", {kSpan, kZoned}, kLocal, OffsetKernel<true>);
  Add(out, "timezone", {kSpan, kLocal}, kZoned, OffsetKernel<false>);
  Add(out, "date_trunc", {kText, kZoned, kText}, kZoned, TruncateKernel, PrepareTruncate);
  Add(out, "make_timestamptz", {kInt, kInt, kInt, kInt, kInt, TypeId::kFloat64, kText}, kZoned,
      MakeKernel, PrepareZone<6>);
}

}  // namespace millrace::internal
