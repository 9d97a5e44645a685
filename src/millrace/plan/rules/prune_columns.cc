#include "millrace/plan/rules/prune_columns.h"

#include <algorithm>
#include <optional>
#include <set>

#include "millrace/base/check.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

/// A plan without the columns that nobody uses, and where each kept column is now.
struct Pruned {
  PlanPtr plan;
  std::vector<size_t> places;  ///< By old column; meaningless for dropped ones.
};

Pruned Prune(const PlanPtr& plan, std::set<size_t> used);

ExpressionPtr Moved(const ExpressionPtr& expression, const std::vector<size_t>& places) {
  return ReplaceColumns(expression, [&](const Expression& column) {
    return MakeColumn(places[column.column], column.type, column.nullable);
  });
}

void AddColumns(const Expression& expression, std::set<size_t>& used) {
  ForEachColumn(expression, [&](size_t column) { used.insert(column); });
}

Pruned PruneScan(const PlanPtr& plan, const std::set<size_t>& used) {
  const std::vector<size_t> kept(used.begin(), used.end());
  std::vector<size_t> places(plan->schema->size());
  for (size_t i = 0; i < kept.size(); ++i) {
    places[kept[i]] = i;
  }
  return {MakeNarrowScan(*plan, kept), std::move(places)};
}

Pruned PruneFilter(const PlanPtr& plan, std::set<size_t> used) {
  AddColumns(*plan->filter.predicate, used);
  Pruned input = Prune(plan->inputs[0], std::move(used));
  ExpressionPtr predicate = Moved(plan->filter.predicate, input.places);
  return {MakeFilter(std::move(input.plan), std::move(predicate)), std::move(input.places)};
}

Pruned PruneProject(const PlanPtr& plan, const std::set<size_t>& used) {
  std::set<size_t> below;
  for (const size_t column : used) {
    AddColumns(*plan->project.expressions[column], below);
  }
  const Pruned input = Prune(plan->inputs[0], std::move(below));
  std::vector<size_t> places(plan->schema->size());
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (const size_t column : used) {
    places[column] = expressions.size();
    expressions.push_back(Moved(plan->project.expressions[column], input.places));
    names.push_back(plan->schema->field(column).name);
  }
  return {MakeProject(input.plan, std::move(expressions), names), std::move(places)};
}

Pruned PruneWindow(const PlanPtr& plan, const std::set<size_t>& used) {
  const size_t inputs = plan->inputs[0]->schema->size();
  std::set<size_t> below{plan->window.time_column};
  for (const size_t column : used) {
    if (column < inputs) {
      below.insert(column);
    }
  }
  Pruned input = Prune(plan->inputs[0], std::move(below));
  WindowNode window = plan->window;
  window.time_column = input.places[window.time_column];
  const size_t kept = input.plan->schema->size();
  input.places.push_back(kept);
  input.places.push_back(kept + 1);
  return {MakeWindow(std::move(input.plan), window), std::move(input.places)};
}

void MoveWindow(const std::vector<size_t>& places, std::optional<WindowKey>& window) {
  if (window) {
    window->start_column = places[window->start_column];
    if (window->end_column != WindowKey::kNoColumn) {
      window->end_column = places[window->end_column];
    }
  }
}

Pruned PruneAggregate(const PlanPtr& plan) {
  AggregateNode aggregate = plan->aggregate;
  std::set<size_t> below(aggregate.group_columns.begin(), aggregate.group_columns.end());
  if (aggregate.window) {
    below.insert(aggregate.window->start_column);
    if (aggregate.window->end_column != WindowKey::kNoColumn) {
      below.insert(aggregate.window->end_column);
    }
  }
  for (const AggregateCall& call : aggregate.calls) {
    if (call.kind != AggregateKind::kCountRows) {
      below.insert(call.argument);
    }
  }
  const Pruned input = Prune(plan->inputs[0], std::move(below));
  for (size_t& column : aggregate.group_columns) {
    column = input.places[column];
  }
  for (AggregateCall& call : aggregate.calls) {
    call.argument = call.kind == AggregateKind::kCountRows ? 0 : input.places[call.argument];
  }
  MoveWindow(input.places, aggregate.window);
  std::vector<size_t> places(plan->schema->size());
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = i;
  }
  return {MakeAggregate(input.plan, std::move(aggregate), FieldNames(*plan->schema)),
          std::move(places)};
}

/// Columns of a join that its own work needs.
void AddJoinColumns(const PlanNode& plan, std::set<size_t>& used) {
  const JoinNode& join = plan.join;
  const size_t left = plan.inputs[0]->schema->size();
  used.insert(join.left_keys.begin(), join.left_keys.end());
  for (const size_t column : join.right_keys) {
    used.insert(left + column);
  }
  if (join.left_time) {
    used.insert(join.left_time->start_column);
    used.insert(left + join.right_time->start_column);
  }
  if (join.as_of && join.as_of->delete_flag) {
    used.insert(left + *join.as_of->delete_flag);
  }
  if (join.condition != nullptr) {
    AddColumns(*join.condition, used);
  }
}

Pruned PruneJoin(const PlanPtr& plan, std::set<size_t> used) {
  AddJoinColumns(*plan, used);
  const size_t left_size = plan->inputs[0]->schema->size();
  std::set<size_t> left_used;
  std::set<size_t> right_used;
  for (const size_t column : used) {
    (column < left_size ? left_used : right_used)
        .insert(column < left_size ? column : column - left_size);
  }
  const Pruned left = Prune(plan->inputs[0], std::move(left_used));
  const Pruned right = Prune(plan->inputs[1], std::move(right_used));
  std::vector<size_t> places = left.places;
  places.resize(left_size);
  for (const size_t place : right.places) {
    places.push_back(left.plan->schema->size() + place);
  }
  JoinNode join = plan->join;
  for (size_t& column : join.left_keys) {
    column = left.places[column];
  }
  for (size_t& column : join.right_keys) {
    column = right.places[column];
  }
  MoveWindow(left.places, join.left_time);
  MoveWindow(right.places, join.right_time);
  if (join.as_of) {
    for (size_t& column : join.as_of->key) {
      column = right.places[column];
    }
    if (join.as_of->delete_flag) {
      join.as_of->delete_flag = right.places[*join.as_of->delete_flag];
    }
  }
  if (join.condition != nullptr) {
    join.condition = Moved(join.condition, places);
  }
  return {MakeJoin(left.plan, right.plan, std::move(join)), std::move(places)};
}

Pruned PruneUnion(const PlanPtr& plan, const std::set<size_t>& used) {
  std::vector<size_t> places(plan->schema->size());
  std::vector<std::string> names;
  for (const size_t column : used) {
    places[column] = names.size();
    names.push_back(plan->schema->field(column).name);
  }
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& each : plan->inputs) {
    const Pruned input = Prune(each, used);
    std::vector<ExpressionPtr> columns;
    columns.reserve(used.size());
    for (const size_t column : used) {
      columns.push_back(ColumnOf(*input.plan, input.places[column]));
    }
    inputs.push_back(MakeProject(input.plan, std::move(columns), names));
  }
  return {MakeUnion(std::move(inputs)), std::move(places)};
}

Pruned PruneUpsert(const PlanPtr& plan, const std::set<size_t>& used) {
  // Output columns are those of the input without the flag.
  const auto input_column = [&](size_t column) {
    return plan->upsert.delete_flag && column >= *plan->upsert.delete_flag ? column + 1 : column;
  };
  std::set<size_t> below(plan->upsert.key.begin(), plan->upsert.key.end());
  for (const size_t column : used) {
    below.insert(input_column(column));
  }
  if (plan->upsert.delete_flag) {
    below.insert(*plan->upsert.delete_flag);
  }
  const Pruned input = Prune(plan->inputs[0], std::move(below));
  UpsertNode upsert = plan->upsert;
  for (size_t& column : upsert.key) {
    column = input.places[column];
  }
  if (upsert.delete_flag) {
    upsert.delete_flag = input.places[*upsert.delete_flag];
  }
  std::vector<size_t> places(plan->schema->size());
  for (size_t column = 0; column < places.size(); ++column) {
    const size_t place = input.places[input_column(column)];
    places[column] = upsert.delete_flag && place > *upsert.delete_flag ? place - 1 : place;
  }
  return {MakeUpsert(input.plan, std::move(upsert)), std::move(places)};
}

Pruned Prune(const PlanPtr& plan, std::set<size_t> used) {
  switch (plan->kind) {
    case Kind::kScan:
      return PruneScan(plan, used);
    case Kind::kFilter:
      return PruneFilter(plan, std::move(used));
    case Kind::kProject:
      return PruneProject(plan, used);
    case Kind::kWindow:
      return PruneWindow(plan, used);
    case Kind::kAggregate:
      return PruneAggregate(plan);
    case Kind::kJoin:
      return PruneJoin(plan, std::move(used));
    case Kind::kUnion:
      return PruneUnion(plan, used);
    case Kind::kUpsert:
      return PruneUpsert(plan, used);
  }
  MR_CHECK(false, "node kind {}", static_cast<int>(plan->kind));
}

}  // namespace

PlanPtr PruneColumns(const PlanPtr& plan) {
  std::set<size_t> all;
  for (size_t i = 0; i < plan->schema->size(); ++i) {
    all.insert(i);
  }
  const Pruned pruned = Prune(plan, all);
  const bool in_place = pruned.plan->schema->size() == all.size() &&
                        std::ranges::all_of(all, [&](size_t i) { return pruned.places[i] == i; });
  if (in_place) {
    return pruned.plan;
  }
  std::vector<ExpressionPtr> columns;
  columns.reserve(all.size());
  for (const size_t column : all) {
    columns.push_back(ColumnOf(*pruned.plan, pruned.places[column]));
  }
  return MakeProject(pruned.plan, std::move(columns), FieldNames(*plan->schema));
}

}  // namespace millrace
