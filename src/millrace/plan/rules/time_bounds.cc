#include "millrace/plan/rules/time_bounds.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "millrace/expr/functions.h"

namespace millrace {

namespace {

/// Longer bounds would leave the range of timestamps; such a join keeps everything instead.
constexpr Int128 kBoundMax = Int128{36'525} * kMicrosPerDay;

/// A time: a column, moved.
struct MovedTime {
  size_t column = 0;
  Micros by = 0;
};

std::optional<Micros> FixedInterval(const Expression& expression) {
  if (!expression.is_literal() || expression.type.id != TypeId::kInterval ||
      expression.literal.is_null()) {
    return std::nullopt;
  }
  const Interval interval = expression.literal.Get<Interval>();
  const Int128 micros = IntervalOrder(interval);
  if (interval.months != 0 || micros > kBoundMax || micros < -kBoundMax) {
    return std::nullopt;
  }
  return static_cast<Micros>(micros);
}

std::optional<MovedTime> ReadTime(const Expression& expression) {
  if (expression.is_column()) {
    return MovedTime{.column = expression.column};
  }
  if (expression.kind != Expression::Kind::kCall || expression.arguments.size() != 2) {
    return std::nullopt;
  }
  const bool plus = expression.function->name == "+";
  const auto by = FixedInterval(*expression.arguments[1]);
  if ((!plus && expression.function->name != "-") || !by || !expression.arguments[0]->is_column()) {
    return std::nullopt;
  }
  return MovedTime{.column = expression.arguments[0]->column, .by = plus ? *by : -*by};
}

/// Narrows the bounds of left - right by one condition.
void Narrow(const Expression& condition, size_t left, size_t right, std::optional<Micros>& lowest,
            std::optional<Micros>& highest) {
  if (condition.kind != Expression::Kind::kCall || condition.arguments.size() != 2) {
    return;
  }
  const std::string_view name = condition.function->name;
  const bool is_less = name == "<" || name == "<=";
  if (!is_less && name != ">" && name != ">=") {
    return;
  }
  const auto a = ReadTime(*condition.arguments[0]);
  const auto b = ReadTime(*condition.arguments[1]);
  if (!a || !b) {
    return;
  }
  // a.column + a.by <= b.column + b.by, or the reverse.
  const bool straight = a->column == left && b->column == right;
  if (!straight && (a->column != right || b->column != left)) {
    return;
  }
  const Micros bound = straight ? b->by - a->by : a->by - b->by;
  if (is_less == straight) {
    highest = std::min(highest.value_or(bound), bound);
  } else {
    lowest = std::max(lowest.value_or(bound), bound);
  }
}

}  // namespace

std::optional<JoinInterval> FindTimeBounds(const std::vector<ExpressionPtr>& conditions,
                                           size_t left_column, size_t right_column) {
  std::optional<Micros> lowest;
  std::optional<Micros> highest;
  for (const ExpressionPtr& condition : conditions) {
    Narrow(*condition, left_column, right_column, lowest, highest);
  }
  if (!lowest || !highest) {
    return std::nullopt;
  }
  return JoinInterval{.lowest = *lowest, .highest = std::max(*lowest, *highest)};
}

}  // namespace millrace
