#pragma once

#include <concepts>
#include <string>
#include <variant>

#include "millrace/data/types.h"

namespace millrace {

class Column;
class ColumnBuilder;

/// One SQL value outside a column: literals, cursors of queries, cells of an answer. Not for rows
/// on the hot path. The alternative that is held fits the type it is used with: NULL = monostate;
/// boolean = bool; integers, date, timestamp, timestamptz = int64_t; real and double = double;
/// numeric = Int128 (times 10^-scale of its type); text, bytea, jsonb,
/// arrays = std::string.
class Value {
 public:
  using Variant =
      std::variant<std::monostate, bool, int64_t, double, Int128, std::string, Interval, Uuid>;

  Value() = default;
  template <typename T>
    requires std::constructible_from<Variant, T>
  explicit Value(T value) : variant_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(variant_); }
  template <typename T>
  const T& Get() const {
    return std::get<T>(variant_);
  }
  const Variant& variant() const { return variant_; }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Variant variant_;
};

/// Returns the value at `row`.
Value ValueAt(const Column& column, size_t row);

/// Appends `value`, which fits the builder's type.
void AppendValue(ColumnBuilder& builder, const Value& value);

}  // namespace millrace
