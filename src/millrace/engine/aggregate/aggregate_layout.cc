#include "millrace/engine/aggregate/aggregate_layout.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "millrace/engine/aggregate/wide_sum.h"

namespace millrace {

namespace {

/// Accumulators. All are multiples of 8 bytes and empty when zero.
struct CountState {
  int64_t count;
};
struct ExactSumState {  // sum and avg of integers and numeric
  int64_t count;
  WideSum sum;
};
struct FloatSumState {  // sum and avg of real and double precision
  int64_t count;
  double sum;
  int64_t count_not_finite;  // Of the arguments; without any, an infinite sum has overflowed.
};
struct ExtremeState {  // min and max; the value's bytes, zero-extended, or a TextRef
  int64_t count;
  uint64_t value[2];
};

bool IsFloat(DataType type) { return type.id == TypeId::kFloat32 || type.id == TypeId::kFloat64; }

bool HasExtreme(DataType type) {
  return type.is_number() || type.id == TypeId::kText || type.id == TypeId::kDate ||
         type.id == TypeId::kTimestamptz || type.id == TypeId::kInterval;
}

bool IsExtreme(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kMax;
}

Result<size_t> StateBytes(const AggregateCall& call, DataType argument) {
  switch (call.kind) {
    case AggregateKind::kCountRows:
      return 0;  // The sum of weights is kept anyway.
    case AggregateKind::kCount:
      return sizeof(CountState);
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
      if (argument.is_number()) {
        return IsFloat(argument) ? sizeof(FloatSumState) : sizeof(ExactSumState);
      }
      break;
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      if (HasExtreme(argument)) {
        return sizeof(ExtremeState);
      }
      break;
  }
  return Err(ErrorCode::kNotImplemented,
             fmt::format("this aggregate over {} is not there yet", argument.ToString()));
}

template <typename State>
State& StateAt(std::byte* value, size_t offset) {
  return *reinterpret_cast<State*>(value + offset);
}
template <typename State>
const State& StateAt(const std::byte* value, size_t offset) {
  return *reinterpret_cast<const State*>(value + offset);
}

/// Calls `visit` with the column's values as their C++ type.
template <typename Visit>
void WithValues(const Column& column, Visit visit) {
  switch (column.type().id) {
    case TypeId::kInt16:
      return visit(column.Values<int16_t>());
    case TypeId::kInt32:
    case TypeId::kDate:
      return visit(column.Values<int32_t>());
    case TypeId::kInt64:
    case TypeId::kTimestamptz:
      return visit(column.Values<int64_t>());
    case TypeId::kFloat32:
      return visit(column.Values<float>());
    case TypeId::kFloat64:
      return visit(column.Values<double>());
    case TypeId::kNumeric:
      return visit(column.Values<Int128>());
    case TypeId::kInterval:
      return visit(column.Values<Interval>());
    default:
      MR_CHECK(false, "no accumulator for {}", column.type().ToString());
  }
}

template <typename T>
T LoadExtreme(const ExtremeState& state) {
  T value;
  std::memcpy(&value, state.value, sizeof(T));
  return value;
}

/// PostgreSQL's order: NaN is greater than every other number. Intervals that are equal there, such
/// as 1 month and 30 days, have an order here, so that the result does not depend on that of rows.
template <typename T>
bool Less(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return !std::isnan(a) && std::isnan(b);
    }
    return a < b;
  } else if constexpr (std::is_same_v<T, Interval>) {
    return std::tuple(IntervalOrder(a), a.months, a.days) <
           std::tuple(IntervalOrder(b), b.months, b.days);
  } else {
    return a < b;
  }
}

/// Whether a value takes the place of the one that is kept.
template <typename T>
bool Replaces(const ExtremeState& state, const T& value, bool is_min) {
  if (state.count == 0) {
    return true;
  }
  const T kept = LoadExtreme<T>(state);
  return is_min ? Less(value, kept) : Less(kept, value);
}

template <typename T>
void KeepExtreme(ExtremeState& state, const T& value, bool is_min) {
  if (Replaces(state, value, is_min)) {
    std::memcpy(state.value, &value, sizeof(T));
  }
}

void KeepText(ExtremeState& state, std::string_view text, bool is_min, TextArena& texts) {
  if (state.count != 0) {
    const std::string_view kept = LoadExtreme<TextRef>(state).view();
    if (is_min ? text >= kept : text <= kept) {
      return;
    }
  }
  const TextRef copy = texts.Copy(text);
  std::memcpy(state.value, &copy, sizeof(copy));
}

template <typename Visit>
void ForEachRow(const Batch& batch, const Column& column, std::span<const uint32_t> rows,
                Visit visit) {
  const std::span<const int32_t> weights = batch.weights();
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t row = rows[i];
    if (!column.IsNull(row)) {
      visit(i, row, weights.empty() ? 1 : weights[row]);
    }
  }
}

void UpdateSum(const Batch& batch, const Column& column, size_t offset,
               std::span<const uint32_t> rows, std::span<std::byte* const> values) {
  WithValues(column, [&](auto inputs) {
    using T = typename decltype(inputs)::value_type;
    ForEachRow(batch, column, rows, [&](size_t i, uint32_t row, int32_t weight) {
      if constexpr (std::is_same_v<T, Interval>) {
        MR_CHECK(false, "no sum of intervals");
      } else if constexpr (std::is_floating_point_v<T>) {
        auto& state = StateAt<FloatSumState>(values[i], offset);
        state.count += weight;
        state.sum += static_cast<double>(inputs[row]) * weight;
        state.count_not_finite += std::isfinite(inputs[row]) ? 0 : weight;
      } else {
        auto& state = StateAt<ExactSumState>(values[i], offset);
        state.count += weight;
        state.sum.Add(inputs[row], weight);
      }
    });
  });
}

template <typename T>
void MergeExtremeAs(ExtremeState& into, const ExtremeState& from, bool is_min) {
  KeepExtreme(into, LoadExtreme<T>(from), is_min);
}

void MergeExtreme(DataType type, ExtremeState& into, const ExtremeState& from, bool is_min,
                  TextArena& texts) {
  if (from.count == 0) {
    return;
  }
  switch (type.id) {
    case TypeId::kText:
      KeepText(into, LoadExtreme<TextRef>(from).view(), is_min, texts);
      break;
    case TypeId::kInterval:
      MergeExtremeAs<Interval>(into, from, is_min);
      break;
    case TypeId::kInt16:
      MergeExtremeAs<int16_t>(into, from, is_min);
      break;
    case TypeId::kInt32:
    case TypeId::kDate:
      MergeExtremeAs<int32_t>(into, from, is_min);
      break;
    case TypeId::kFloat32:
      MergeExtremeAs<float>(into, from, is_min);
      break;
    case TypeId::kFloat64:
      MergeExtremeAs<double>(into, from, is_min);
      break;
    case TypeId::kNumeric:
      MergeExtremeAs<Int128>(into, from, is_min);
      break;
    default:
      MergeExtremeAs<int64_t>(into, from, is_min);
  }
  into.count += from.count;
}

std::optional<Int128> PowerOfTen(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(power, Int128{10}, &power)) {
      return std::nullopt;
    }
  }
  return power;
}

bool FitsPrecision(Int128 value, uint8_t precision) {
  const auto limit = PowerOfTen(precision);
  return !limit || (value < *limit && value > -*limit);
}

/// sum / count, rounded half away from zero, with `digits` more decimals than the sum has.
std::optional<Int128> Average(Int128 sum, int64_t count, int digits) {
  const bool negative = (sum < 0) != (count < 0);
  const auto divisor = static_cast<Uint128>(count < 0 ? -Int128{count} : Int128{count});
  const auto dividend =
      sum < 0 ? Uint128{0} - static_cast<Uint128>(sum) : static_cast<Uint128>(sum);
  Uint128 quotient = dividend / divisor;
  Uint128 remainder = dividend % divisor;
  for (int i = 0; i < digits; ++i) {
    remainder *= 10;
    if (__builtin_mul_overflow(quotient, Uint128{10}, &quotient)) {
      return std::nullopt;
    }
    quotient += remainder / divisor;
    remainder %= divisor;
  }
  if (remainder * 2 >= divisor) {
    ++quotient;
  }
  constexpr Uint128 kMax = ~Uint128{0} >> 1;
  if (quotient > kMax) {
    return std::nullopt;
  }
  const auto value = static_cast<Int128>(quotient);
  return negative ? -value : value;
}

/// The exact sum or average in its result type's units; nothing when out of range.
std::optional<Int128> ExactResult(AggregateKind kind, const ExactSumState& state, DataType argument,
                                  DataType result) {
  auto value = state.sum.Get();
  if (value && kind == AggregateKind::kAvg) {
    value = Average(*value, state.count, int{result.scale} - int{argument.scale});
  } else if (value && result.id == TypeId::kNumeric && result.scale > argument.scale) {
    const auto factor = PowerOfTen(result.scale - argument.scale);
    Int128 scaled = 0;
    value = factor && !__builtin_mul_overflow(*value, *factor, &scaled) ? std::optional(scaled)
                                                                        : std::nullopt;
  }
  if (!value) {
    return std::nullopt;
  }
  const bool fits = result.id == TypeId::kNumeric
                        ? FitsPrecision(*value, result.precision)
                        : *value >= std::numeric_limits<int64_t>::min() &&
                              *value <= std::numeric_limits<int64_t>::max();
  return fits ? value : std::nullopt;
}

void AppendFloat(double value, DataType type, ColumnBuilder& builder) {
  if (type.id == TypeId::kFloat32) {
    builder.AppendFixed(static_cast<float>(value));
  } else {
    builder.AppendFixed(value);
  }
}

void AppendExtreme(const ExtremeState& state, DataType type, ColumnBuilder& builder) {
  if (type.id == TypeId::kText) {
    return builder.AppendText(LoadExtreme<TextRef>(state).view());
  }
  if (type.id == TypeId::kInterval) {
    return builder.AppendFixed(LoadExtreme<Interval>(state));
  }
  if (type.id == TypeId::kFloat32) {
    return builder.AppendFixed(LoadExtreme<float>(state) + 0.0F);  // -0 and 0 are one value.
  }
  if (type.id == TypeId::kFloat64) {
    return builder.AppendFixed(LoadExtreme<double>(state) + 0.0);
  }
  switch (type.width()) {
    case sizeof(int16_t):
      return builder.AppendFixed(LoadExtreme<int16_t>(state));
    case sizeof(int32_t):
      return builder.AppendFixed(LoadExtreme<int32_t>(state));
    case sizeof(int64_t):
      return builder.AppendFixed(LoadExtreme<int64_t>(state));
    default:
      return builder.AppendFixed(LoadExtreme<Int128>(state));
  }
}

}  // namespace

Result<AggregateLayout> AggregateLayout::Make(const std::vector<AggregateCall>& calls,
                                              const Schema& input, bool append_only) {
  AggregateLayout layout;
  size_t offset = sizeof(int64_t);
  for (const AggregateCall& call : calls) {
    const bool counts_rows = call.kind == AggregateKind::kCountRows;
    const DataType argument =
        counts_rows ? DataType::Of(TypeId::kInt64) : input.field(call.argument).type;
    if (IsExtreme(call.kind) && !append_only) {
      return Err(ErrorCode::kNotImplemented, "min and max over changing rows are not there yet");
    }
    MR_ASSIGN(const size_t bytes, StateBytes(call, argument));
    layout.slots_.push_back(
        {call.kind, call.argument, argument, call.result_type, counts_rows ? 0 : offset});
    if (IsExtreme(call.kind) && argument.id == TypeId::kText) {
      layout.shape_.texts.push_back(offset + offsetof(ExtremeState, value));
    }
    offset += bytes;
  }
  layout.shape_.bytes = offset;
  return layout;
}

void AggregateLayout::Update(const Batch& batch, std::span<const uint32_t> rows,
                             std::span<std::byte* const> values, TextArena& texts) const {
  const std::span<const int32_t> weights = batch.weights();
  for (size_t i = 0; i < rows.size(); ++i) {
    StateAt<CountState>(values[i], 0).count += weights.empty() ? 1 : weights[rows[i]];
  }
  for (const Slot& slot : slots_) {
    UpdateSlot(slot, batch, rows, values, texts);
  }
}

void AggregateLayout::UpdateSlot(const Slot& slot, const Batch& batch,
                                 std::span<const uint32_t> rows, std::span<std::byte* const> values,
                                 TextArena& texts) const {
  if (slot.kind == AggregateKind::kCountRows) {
    return;
  }
  const Column& column = batch.column(slot.argument);
  switch (slot.kind) {
    case AggregateKind::kCountRows:
      return;
    case AggregateKind::kCount:
      ForEachRow(batch, column, rows, [&](size_t i, uint32_t, int32_t weight) {
        StateAt<CountState>(values[i], slot.offset).count += weight;
      });
      return;
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
      return UpdateSum(batch, column, slot.offset, rows, values);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      return UpdateExtreme(slot, batch, rows, values, texts);
  }
}

void AggregateLayout::UpdateExtreme(const Slot& slot, const Batch& batch,
                                    std::span<const uint32_t> rows,
                                    std::span<std::byte* const> values, TextArena& texts) const {
  const Column& column = batch.column(slot.argument);
  const bool is_min = slot.kind == AggregateKind::kMin;
  if (slot.argument_type.id == TypeId::kText) {
    ForEachRow(batch, column, rows, [&](size_t i, uint32_t row, int32_t) {
      auto& state = StateAt<ExtremeState>(values[i], slot.offset);
      KeepText(state, column.Text(row), is_min, texts);
      ++state.count;
    });
    return;
  }
  WithValues(column, [&](auto inputs) {
    ForEachRow(batch, column, rows, [&](size_t i, uint32_t row, int32_t) {
      auto& state = StateAt<ExtremeState>(values[i], slot.offset);
      KeepExtreme(state, inputs[row], is_min);
      ++state.count;
    });
  });
}

void AggregateLayout::Merge(std::byte* into, const std::byte* from, TextArena& texts) const {
  StateAt<CountState>(into, 0).count += StateAt<CountState>(from, 0).count;
  for (const Slot& slot : slots_) {
    switch (slot.kind) {
      case AggregateKind::kCountRows:
        break;
      case AggregateKind::kCount:
        StateAt<CountState>(into, slot.offset).count +=
            StateAt<CountState>(from, slot.offset).count;
        break;
      case AggregateKind::kSum:
      case AggregateKind::kAvg:
        if (IsFloat(slot.argument_type)) {
          auto& state = StateAt<FloatSumState>(into, slot.offset);
          const auto& other = StateAt<FloatSumState>(from, slot.offset);
          state.count += other.count;
          state.sum += other.sum;
          state.count_not_finite += other.count_not_finite;
        } else {
          auto& state = StateAt<ExactSumState>(into, slot.offset);
          state.count += StateAt<ExactSumState>(from, slot.offset).count;
          state.sum.Add(StateAt<ExactSumState>(from, slot.offset).sum);
        }
        break;
      case AggregateKind::kMin:
      case AggregateKind::kMax:
        MergeExtreme(slot.argument_type, StateAt<ExtremeState>(into, slot.offset),
                     StateAt<ExtremeState>(from, slot.offset), slot.kind == AggregateKind::kMin,
                     texts);
        break;
    }
  }
}

int64_t AggregateLayout::RowCount(const std::byte* value) {
  return StateAt<CountState>(value, 0).count;
}

std::optional<Error> AggregateLayout::CheckSlot(const Slot& slot, const std::byte* value) const {
  if (slot.kind != AggregateKind::kSum && slot.kind != AggregateKind::kAvg) {
    return std::nullopt;
  }
  bool in_range = true;
  if (IsFloat(slot.argument_type)) {
    const auto& state = StateAt<FloatSumState>(value, slot.offset);
    const bool is_real = slot.result_type.id == TypeId::kFloat32;
    const double limit =
        is_real ? double{std::numeric_limits<float>::max()} : std::numeric_limits<double>::max();
    in_range = state.count_not_finite != 0 || std::abs(state.sum) <= limit;
  } else {
    const auto& state = StateAt<ExactSumState>(value, slot.offset);
    in_range = state.count == 0 ||
               ExactResult(slot.kind, state, slot.argument_type, slot.result_type).has_value();
  }
  if (in_range) {
    return std::nullopt;
  }
  return Error(ErrorCode::kNumericOutOfRange,
               fmt::format("an aggregate is out of the range of {}", slot.result_type.ToString()));
}

std::optional<Error> AggregateLayout::Check(const std::byte* value) const {
  for (const Slot& slot : slots_) {
    if (auto error = CheckSlot(slot, value)) {
      return error;
    }
  }
  return std::nullopt;
}

void AggregateLayout::AppendResults(const std::byte* value,
                                    std::span<ColumnBuilder> builders) const {
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    ColumnBuilder& builder = builders[i];
    const int64_t count = StateAt<CountState>(value, slot.offset).count;
    if (slot.kind == AggregateKind::kCountRows || slot.kind == AggregateKind::kCount) {
      builder.AppendFixed(count);
    } else if (count == 0) {
      builder.AppendNull();
    } else if (IsExtreme(slot.kind)) {
      AppendExtreme(StateAt<ExtremeState>(value, slot.offset), slot.argument_type, builder);
    } else if (IsFloat(slot.argument_type)) {
      const auto& state = StateAt<FloatSumState>(value, slot.offset);
      const bool average = slot.kind == AggregateKind::kAvg;
      AppendFloat(average ? state.sum / static_cast<double>(count) : state.sum, slot.result_type,
                  builder);
    } else {
      const Int128 result = *ExactResult(slot.kind, StateAt<ExactSumState>(value, slot.offset),
                                         slot.argument_type, slot.result_type);
      if (slot.result_type.id == TypeId::kNumeric) {
        builder.AppendFixed(result);
      } else {
        builder.AppendFixed(static_cast<int64_t>(result));
      }
    }
  }
}

}  // namespace millrace
