#include "millrace/plan/rules/join_conditions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/expr/functions.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/plan/rules/conjuncts.h"
#include "millrace/plan/rules/time_bounds.h"

namespace millrace {

namespace {

struct Sides {
  bool left = false;
  bool right = false;
};

Sides SidesOf(const Expression& expression, size_t left_size) {
  Sides sides;
  ForEachColumn(expression,
                [&](size_t column) { (column < left_size ? sides.left : sides.right) = true; });
  return sides;
}

/// The expression with the columns from `first` on moved by `shift`.
ExpressionPtr Shifted(const ExpressionPtr& expression, size_t first, ptrdiff_t shift) {
  return ReplaceColumns(expression, [&](const Expression& column) {
    const auto moved = static_cast<size_t>(static_cast<ptrdiff_t>(column.column) + shift);
    return MakeColumn(column.column < first ? column.column : moved, column.type, column.nullable);
  });
}

/// Whether an expression over the right input may be one side of a key: versions of rows are found
/// by the key of their table alone.
bool MayBeKey(const Expression& right, const JoinNode& join, const JoinConditions& conditions) {
  if (!join.as_of) {
    return true;
  }
  const auto is_taken = [&](size_t column) {
    return std::ranges::find(join.right_keys, column) != join.right_keys.end() ||
           std::ranges::any_of(conditions.right_keys,
                               [&](const ExpressionPtr& key) { return key->column == column; });
  };
  return right.is_column() &&
         std::ranges::find(join.as_of->key, right.column) != join.as_of->key.end() &&
         !is_taken(right.column);
}

/// Takes an equality between the two sides as a key; equal keys must have equal bytes.
bool TakeKey(const ExpressionPtr& condition, const JoinNode& join, size_t left_size,
             JoinConditions& conditions) {
  if (condition->kind != Expression::Kind::kCall || condition->function->name != "=") {
    return false;
  }
  ExpressionPtr a = condition->arguments[0];
  ExpressionPtr b = condition->arguments[1];
  Sides of_a = SidesOf(*a, left_size);
  Sides of_b = SidesOf(*b, left_size);
  if (of_a.right) {
    std::swap(a, b);
    std::swap(of_a, of_b);
  }
  if (!of_a.left || of_a.right || !of_b.right || of_b.left || a->type.id == TypeId::kInterval) {
    return false;
  }
  const auto type = CommonType(a->type, b->type);
  if (!type) {
    return false;
  }
  ExpressionPtr right = Shifted(MakeCast(b, *type), 0, -static_cast<ptrdiff_t>(left_size));
  if (!MayBeKey(*right, join, conditions)) {
    return false;
  }
  conditions.left_keys.push_back(MakeCast(a, *type));
  conditions.right_keys.push_back(std::move(right));
  return true;
}

/// The plan with a column for each expression: of the plan itself, or a new one behind its columns.
struct Extended {
  PlanPtr plan;
  std::vector<size_t> columns;
};

Extended WithColumns(PlanPtr plan, const std::vector<ExpressionPtr>& expressions) {
  Extended extended;
  std::vector<ExpressionPtr> all;
  all.reserve(plan->schema->size() + expressions.size());
  for (size_t i = 0; i < plan->schema->size(); ++i) {
    all.push_back(ColumnOf(*plan, i));
  }
  std::vector<std::string> names = FieldNames(*plan->schema);
  for (const ExpressionPtr& expression : expressions) {
    if (expression->is_column()) {
      extended.columns.push_back(expression->column);
      continue;
    }
    extended.columns.push_back(all.size());
    all.push_back(expression);
    std::string name = "key_" + std::to_string(all.size());
    while (std::ranges::find(names, name) != names.end()) {
      name += '_';
    }
    names.push_back(std::move(name));
  }
  extended.plan = all.size() == plan->schema->size()
                      ? std::move(plan)
                      : MakeProject(std::move(plan), std::move(all), names);
  return extended;
}

std::optional<WindowKey> WindowOf(const PlanNode& plan, size_t column, Micros grace) {
  const auto origin = FindWindowOrigin(plan, column);
  if (!origin || origin->is_end) {
    return std::nullopt;
  }
  return WindowKey{.start_column = column,
                   .size = origin->size,
                   .grace = grace,
                   .of_windows = origin->of_windows};
}

/// Makes a pair of keys that are the starts of windows what the join keeps rows by.
void FindWindow(const PlanNode& left, const PlanNode& right, JoinNode& join) {
  for (size_t i = 0; i < join.left_keys.size(); ++i) {
    const auto left_window = WindowOf(left, join.left_keys[i], join.grace);
    const auto right_window = WindowOf(right, join.right_keys[i], join.grace);
    if (left_window && right_window) {
      join.left_time = left_window;
      join.right_time = right_window;
      join.left_keys.erase(join.left_keys.begin() + static_cast<ptrdiff_t>(i));
      join.right_keys.erase(join.right_keys.begin() + static_cast<ptrdiff_t>(i));
      return;
    }
  }
}

void FindInterval(const PlanNode& left, const PlanNode& right,
                  const std::vector<ExpressionPtr>& conditions, JoinNode& join) {
  if (!left.properties.event_time || !right.properties.event_time) {
    return;
  }
  const size_t left_time = *left.properties.event_time;
  const size_t right_time = *right.properties.event_time;
  join.interval = FindTimeBounds(conditions, left_time, left.schema->size() + right_time);
  if (join.interval) {
    join.left_time = WindowKey{.start_column = left_time, .size = 1, .grace = join.grace};
    join.right_time = WindowKey{.start_column = right_time, .size = 1, .grace = join.grace};
  }
}

}  // namespace

JoinConditions SortJoinConditions(const PlanNode& join, const std::vector<ExpressionPtr>& above) {
  const bool is_inner = join.join.kind == JoinKind::kInner;
  const size_t left_size = join.inputs[0]->schema->size();
  JoinConditions conditions;
  for (const ExpressionPtr& each : Conjuncts(join.join.condition)) {
    const Sides sides = SidesOf(*each, left_size);
    const bool movable = !CanFail(*each);
    if (movable && is_inner && !sides.right) {
      conditions.left.push_back(each);
    } else if (movable && !join.join.as_of && sides.right && !sides.left) {
      conditions.right.push_back(Shifted(each, 0, -static_cast<ptrdiff_t>(left_size)));
    } else if (!TakeKey(each, join.join, left_size, conditions)) {
      (is_inner ? conditions.above : conditions.condition).push_back(each);
    }
  }
  for (const ExpressionPtr& each : above) {
    const Sides sides = SidesOf(*each, left_size);
    const bool movable = !CanFail(*each);
    if (movable && !sides.right) {
      conditions.left.push_back(each);
    } else if (movable && is_inner && !join.join.as_of && sides.right && !sides.left) {
      conditions.right.push_back(Shifted(each, 0, -static_cast<ptrdiff_t>(left_size)));
    } else if (!is_inner || !TakeKey(each, join.join, left_size, conditions)) {
      conditions.above.push_back(each);
    }
  }
  return conditions;
}

PlanPtr BuildJoin(const PlanNode& old, PlanPtr left, PlanPtr right,
                  const JoinConditions& conditions) {
  const size_t left_size = left->schema->size();
  const size_t right_size = right->schema->size();
  Extended left_side = WithColumns(std::move(left), conditions.left_keys);
  Extended right_side = WithColumns(std::move(right), conditions.right_keys);
  const auto shift = static_cast<ptrdiff_t>(left_side.plan->schema->size() - left_size);
  const auto moved = [&](const std::vector<ExpressionPtr>& expressions) {
    std::vector<ExpressionPtr> all;
    all.reserve(expressions.size());
    for (const ExpressionPtr& each : expressions) {
      all.push_back(Shifted(each, left_size, shift));
    }
    return all;
  };
  std::vector<ExpressionPtr> above = moved(conditions.above);
  // It may have keys, and times, from an earlier pass.
  JoinNode join = old.join;
  std::ranges::copy(left_side.columns, std::back_inserter(join.left_keys));
  std::ranges::copy(right_side.columns, std::back_inserter(join.right_keys));
  join.condition = Conjunction(moved(conditions.condition));
  if (!join.left_time) {
    FindWindow(*left_side.plan, *right_side.plan, join);
  }
  if (!join.left_time && join.kind == JoinKind::kInner) {
    FindInterval(*left_side.plan, *right_side.plan, above, join);
  }
  const bool has_more_columns =
      left_side.plan->schema->size() != left_size || right_side.plan->schema->size() != right_size;
  PlanPtr plan =
      FilterBy(MakeJoin(std::move(left_side.plan), std::move(right_side.plan), std::move(join)),
               std::move(above));
  if (!has_more_columns) {
    return plan;
  }
  std::vector<ExpressionPtr> columns;
  for (size_t i = 0; i < left_size + right_size; ++i) {
    const size_t column = i < left_size ? i : i + static_cast<size_t>(shift);
    columns.push_back(ColumnOf(*plan, column));
  }
  return MakeProject(std::move(plan), std::move(columns), FieldNames(*old.schema));
}

}  // namespace millrace
