#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>

#include "millrace/data/column_builder.h"
#include "millrace/state/text_arena.h"

namespace millrace {

/// The accumulator of min and max. Stored in state frames; all zero is empty.
struct ExtremeState {
  int64_t count;
  uint64_t value[2];  ///< The value's bytes, zero-extended, or a TextRef.
};

/// Whether values of the type have an order for min and max.
bool HasExtreme(DataType type);

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

/// Keeps a text, copied into `texts`, if it is the smaller or larger one.
void KeepText(ExtremeState& state, std::string_view text, bool is_min, TextArena& texts);

/// Keeps the value of another state, whose texts are in `texts`.
void MergeExtreme(DataType type, ExtremeState& into, const ExtremeState& from, bool is_min,
                  TextArena& texts);

/// Appends the value, which is there.
void AppendExtreme(const ExtremeState& state, DataType type, ColumnBuilder& builder);

}  // namespace millrace
