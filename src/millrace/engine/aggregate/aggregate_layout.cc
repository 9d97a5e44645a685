#include "millrace/engine/aggregate/aggregate_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "millrace/data/row_encoding.h"
#include "millrace/engine/aggregate/column_values.h"
#include "millrace/engine/aggregate/double_sum.h"
#include "millrace/engine/aggregate/extremes.h"
#include "millrace/engine/aggregate/wide_sum.h"
#include "millrace/expr/numeric_math.h"
#include "millrace/expr/ordered_value.h"

namespace millrace {

namespace {

/// Accumulators. All are multiples of 8 bytes and empty when zero.
struct CountState {
  int64_t count;
};
struct ExactSumState {  // sum and avg of integers and numeric
  int64_t count = 0;
  WideSum sum;
};
struct FloatSumState {  // sum and avg of real and double precision
  int64_t count;
  double sum;
  int64_t count_not_finite;  // Of the arguments; without any, an infinite sum has overflowed.
};
struct DeviationState {  // variances and standard deviations
  int64_t count = 0;
  int64_t count_not_finite = 0;
  DoubleSum sum;  // Of the others.
  DoubleSum squares;
};
struct TruthState {  // bool_and and bool_or
  int64_t count;
  int64_t count_true;
};
bool IsFloat(DataType type) { return type.id == TypeId::kFloat32 || type.id == TypeId::kFloat64; }

bool IsExtreme(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kMax ||
         kind == AggregateKind::kFirst || kind == AggregateKind::kLast;
}

bool IsLowest(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kFirst;
}

bool IsDeviation(AggregateKind kind) {
  return kind == AggregateKind::kVarPop || kind == AggregateKind::kVarSamp ||
         kind == AggregateKind::kStddevPop || kind == AggregateKind::kStddevSamp;
}

/// The first or last of an order: the smallest or largest ordered value.
bool IsEnd(AggregateKind kind) {
  return kind == AggregateKind::kFirst || kind == AggregateKind::kLast;
}

bool IsList(AggregateKind kind) {
  return kind == AggregateKind::kStringAgg || kind == AggregateKind::kJsonbAgg ||
         kind == AggregateKind::kArrayAgg;
}

bool IsTruth(AggregateKind kind) {
  return kind == AggregateKind::kBoolAnd || kind == AggregateKind::kBoolOr;
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
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      if (HasExtreme(argument)) {
        return sizeof(ExtremeState);
      }
      break;
    case AggregateKind::kVarPop:
    case AggregateKind::kVarSamp:
    case AggregateKind::kStddevPop:
    case AggregateKind::kStddevSamp:
      if (argument.is_number()) {
        return sizeof(DeviationState);
      }
      break;
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      if (argument.id == TypeId::kBoolean) {
        return sizeof(TruthState);
      }
      break;
    case AggregateKind::kStringAgg:
    case AggregateKind::kJsonbAgg:
    case AggregateKind::kArrayAgg:
      return sizeof(ListState);
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

template <typename Visit>
void ForEachRow(const AggregateLayout::RowsOfColumn& input, Visit visit) {
  for (size_t i = 0; i < input.rows.size(); ++i) {
    const uint32_t row = input.rows[i];
    if (!input.column.IsNull(row)) {
      visit(i, row, input.weights.empty() ? 1 : input.weights[row]);
    }
  }
}

void UpdateSum(const AggregateLayout::RowsOfColumn& input, size_t offset,
               std::span<std::byte* const> values) {
  WithValues(input.column, [&](auto inputs) {
    using T = typename decltype(inputs)::value_type;
    ForEachRow(input, [&](size_t i, uint32_t row, int32_t weight) {
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

void UpdateDeviation(const AggregateLayout::RowsOfColumn& input, size_t offset,
                     std::span<std::byte* const> values) {
  const DataType type = input.column.type();
  const double unit = type.id == TypeId::kNumeric ? std::pow(10.0, -int{type.scale}) : 1;
  WithValues(input.column, [&](auto inputs) {
    using T = typename decltype(inputs)::value_type;
    ForEachRow(input, [&](size_t i, uint32_t row, int32_t weight) {
      if constexpr (std::is_same_v<T, Interval>) {
        MR_CHECK(false, "no deviation of intervals");
      } else {
        auto& state = StateAt<DeviationState>(values[i], offset);
        const double value = static_cast<double>(inputs[row]) * unit;
        state.count += weight;
        if (std::isfinite(value)) {
          state.sum.AddProduct(value, weight);
          state.squares.AddSquare(value, weight);
        } else {
          state.count_not_finite += weight;
        }
      }
    });
  });
}

void MergeDeviation(DeviationState& into, const DeviationState& from) {
  into.count += from.count;
  into.count_not_finite += from.count_not_finite;
  into.sum.Add(from.sum);
  into.squares.Add(from.squares);
}

void UpdateTruth(const AggregateLayout::RowsOfColumn& input, size_t offset,
                 std::span<std::byte* const> values) {
  ForEachRow(input, [&](size_t i, uint32_t row, int32_t weight) {
    auto& state = StateAt<TruthState>(values[i], offset);
    state.count += weight;
    state.count_true += input.column.Bool(row) ? weight : 0;
  });
}

void AppendDeviation(AggregateKind kind, const DeviationState& state, ColumnBuilder& builder) {
  const bool sample = kind == AggregateKind::kVarSamp || kind == AggregateKind::kStddevSamp;
  const int64_t divisor = sample ? state.count - 1 : state.count;
  if (divisor <= 0) {
    return builder.AppendNull();
  }
  if (state.count_not_finite != 0) {
    return builder.AppendFixed(std::numeric_limits<double>::quiet_NaN());
  }
  const double variance =
      SquaredDistances(state.sum, state.squares, static_cast<double>(state.count)) /
      static_cast<double>(divisor);
  const bool root = kind == AggregateKind::kStddevPop || kind == AggregateKind::kStddevSamp;
  builder.AppendFixed(root ? std::sqrt(variance) : variance);
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
    value = internal::Rescale(*value, argument.scale, result.scale);
  }
  if (!value) {
    return std::nullopt;
  }
  const bool fits = result.id == TypeId::kNumeric
                        ? internal::FitsPrecision(*value, result.precision)
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

}  // namespace

Result<AggregateLayout> AggregateLayout::Make(const std::vector<AggregateCall>& calls,
                                              const Schema& input, bool append_only) {
  AggregateLayout layout;
  layout.calls_ = calls;
  size_t offset = sizeof(int64_t);
  for (const AggregateCall& call : calls) {
    const bool counts_rows = call.kind == AggregateKind::kCountRows;
    const DataType argument =
        counts_rows ? DataType::Of(TypeId::kInt64) : input.field(call.argument).type;
    MR_ASSIGN(const size_t bytes, StateBytes(call, argument));
    const bool by_set = IsExtreme(call.kind) ? !append_only : call.distinct || IsList(call.kind);
    if (by_set) {
      layout.set_calls_.push_back(layout.slots_.size());
    }
    layout.slots_.push_back({call.kind, call.argument, argument, call.result_type,
                             counts_rows ? 0 : offset, bytes, by_set});
    if (IsExtreme(call.kind) && argument.is_variable()) {
      layout.shape_.texts.push_back(offset + offsetof(ExtremeState, value));
    } else if (IsList(call.kind)) {
      layout.shape_.texts.push_back(offset + offsetof(ListState, text));
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
    if (slot.kind != AggregateKind::kCountRows && !slot.by_set) {
      UpdateSlot(slot, {batch.column(slot.argument), rows, weights}, values, texts);
    }
  }
}

void AggregateLayout::UpdateSlot(const Slot& slot, const RowsOfColumn& rows,
                                 std::span<std::byte* const> values, TextArena& texts) {
  switch (slot.kind) {
    case AggregateKind::kCountRows:
      return;
    case AggregateKind::kCount:
      ForEachRow(rows, [&](size_t i, uint32_t, int32_t weight) {
        StateAt<CountState>(values[i], slot.offset).count += weight;
      });
      return;
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
      return UpdateSum(rows, slot.offset, values);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
      return UpdateExtreme(slot, rows, values, texts);
    case AggregateKind::kStringAgg:
    case AggregateKind::kJsonbAgg:
    case AggregateKind::kArrayAgg:
      MR_CHECK(false, "a list is set as a whole");
    case AggregateKind::kVarPop:
    case AggregateKind::kVarSamp:
    case AggregateKind::kStddevPop:
    case AggregateKind::kStddevSamp:
      return UpdateDeviation(rows, slot.offset, values);
    case AggregateKind::kBoolAnd:
    case AggregateKind::kBoolOr:
      return UpdateTruth(rows, slot.offset, values);
  }
}

void AggregateLayout::UpdateExtreme(const Slot& slot, const RowsOfColumn& rows,
                                    std::span<std::byte* const> values, TextArena& texts) {
  const bool is_min = IsLowest(slot.kind);
  if (slot.argument_type.is_variable()) {
    ForEachRow(rows, [&](size_t i, uint32_t row, int32_t) {
      auto& state = StateAt<ExtremeState>(values[i], slot.offset);
      KeepText(state, rows.column.Text(row), is_min, texts);
      ++state.count;
    });
    return;
  }
  WithValues(rows.column, [&](auto inputs) {
    ForEachRow(rows, [&](size_t i, uint32_t row, int32_t) {
      auto& state = StateAt<ExtremeState>(values[i], slot.offset);
      KeepExtreme(state, inputs[row], is_min);
      ++state.count;
    });
  });
}

bool AggregateLayout::IsExtremeCall(size_t call) const { return IsExtreme(slots_[call].kind); }

bool AggregateLayout::IsListCall(size_t call) const { return IsList(slots_[call].kind); }

void AggregateLayout::SetList(size_t call, ValueList& list, std::byte* value,
                              TextArena& texts) const {
  list.Finish(StateAt<ListState>(value, slots_[call].offset), texts);
}

void AggregateLayout::UpdateCall(size_t call, const Column& column,
                                 std::span<const int32_t> weights,
                                 std::span<std::byte* const> values, TextArena& texts) const {
  std::vector<uint32_t> rows(column.size());
  std::iota(rows.begin(), rows.end(), 0);
  UpdateSlot(slots_[call], {column, rows, weights}, values, texts);
}

void AggregateLayout::ResetCall(size_t call, std::byte* value) const {
  std::memset(value + slots_[call].offset, 0, slots_[call].bytes);
}

void AggregateLayout::Merge(std::byte* into, const std::byte* from, TextArena& texts) const {
  StateAt<CountState>(into, 0).count += StateAt<CountState>(from, 0).count;
  for (const Slot& slot : slots_) {
    if (slot.by_set) {
      continue;
    }
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
      case AggregateKind::kFirst:
      case AggregateKind::kLast:
        MergeExtreme(slot.argument_type, StateAt<ExtremeState>(into, slot.offset),
                     StateAt<ExtremeState>(from, slot.offset), IsLowest(slot.kind), texts);
        break;
      case AggregateKind::kVarPop:
      case AggregateKind::kVarSamp:
      case AggregateKind::kStddevPop:
      case AggregateKind::kStddevSamp:
        MergeDeviation(StateAt<DeviationState>(into, slot.offset),
                       StateAt<DeviationState>(from, slot.offset));
        break;
      case AggregateKind::kBoolAnd:
      case AggregateKind::kBoolOr: {
        auto& state = StateAt<TruthState>(into, slot.offset);
        state.count += StateAt<TruthState>(from, slot.offset).count;
        state.count_true += StateAt<TruthState>(from, slot.offset).count_true;
        break;
      }
      case AggregateKind::kStringAgg:
      case AggregateKind::kJsonbAgg:
      case AggregateKind::kArrayAgg:
        break;  // By set.
    }
  }
}

int64_t AggregateLayout::RowCount(const std::byte* value) {
  return StateAt<CountState>(value, 0).count;
}

std::optional<Error> AggregateLayout::CheckSlot(const Slot& slot, const std::byte* value) const {
  if (IsList(slot.kind) && StateAt<ListState>(value, slot.offset).count == ListState::kTooLong) {
    return Error(ErrorCode::kNumericOutOfRange,
                 fmt::format("a list of more than {} bytes", ListState::kBytesMax));
  }
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
    } else if (IsDeviation(slot.kind)) {
      AppendDeviation(slot.kind, StateAt<DeviationState>(value, slot.offset), builder);
    } else if (IsTruth(slot.kind)) {
      const auto& state = StateAt<TruthState>(value, slot.offset);
      builder.AppendBool(slot.kind == AggregateKind::kBoolAnd ? state.count_true == state.count
                                                              : state.count_true > 0);
    } else if (IsEnd(slot.kind)) {
      std::string_view encoded =
          EncodedValueOf(LoadExtreme<TextRef>(StateAt<ExtremeState>(value, slot.offset)).view());
      const Status decoded = DecodeInto(&encoded, builder);
      MR_CHECK(decoded.has_value(), "a value of first or last");
    } else if (IsList(slot.kind)) {
      builder.AppendText(StateAt<ListState>(value, slot.offset).text.view());
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
