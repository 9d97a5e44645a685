#include "millrace/plan/rules/prune_columns.h"

#include <algorithm>
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

Pruned PruneTumble(const PlanPtr& plan, const std::set<size_t>& used) {
  const size_t inputs = plan->inputs[0]->schema->size();
  std::set<size_t> below{plan->tumble.time_column};
  for (const size_t column : used) {
    if (column < inputs) {
      below.insert(column);
    }
  }
  Pruned input = Prune(plan->inputs[0], std::move(below));
  TumbleNode tumble = plan->tumble;
  tumble.time_column = input.places[tumble.time_column];
  const size_t kept = input.plan->schema->size();
  input.places.push_back(kept);
  input.places.push_back(kept + 1);
  return {MakeTumble(std::move(input.plan), tumble), std::move(input.places)};
}

Pruned PruneAggregate(const PlanPtr& plan) {
  AggregateNode aggregate = plan->aggregate;
  std::set<size_t> below(aggregate.group_columns.begin(), aggregate.group_columns.end());
  if (aggregate.window) {
    below.insert(aggregate.window->start_column);
    below.insert(aggregate.window->end_column);
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
  if (aggregate.window) {
    aggregate.window->start_column = input.places[aggregate.window->start_column];
    aggregate.window->end_column = input.places[aggregate.window->end_column];
  }
  std::vector<size_t> places(plan->schema->size());
  for (size_t i = 0; i < places.size(); ++i) {
    places[i] = i;
  }
  return {MakeAggregate(input.plan, std::move(aggregate), FieldNames(*plan->schema)),
          std::move(places)};
}

Pruned Prune(const PlanPtr& plan, std::set<size_t> used) {
  switch (plan->kind) {
    case Kind::kScan:
      return PruneScan(plan, used);
    case Kind::kFilter:
      return PruneFilter(plan, std::move(used));
    case Kind::kProject:
      return PruneProject(plan, used);
    case Kind::kTumble:
      return PruneTumble(plan, used);
    case Kind::kAggregate:
      return PruneAggregate(plan);
  }
  MR_CHECK(false, "node kind {}", static_cast<int>(plan->kind));
}

}  // namespace

PlanPtr PruneColumns(const PlanPtr& plan) {
  std::set<size_t> all;
  for (size_t i = 0; i < plan->schema->size(); ++i) {
    all.insert(i);
  }
  // The root is a projection or an aggregation in every view: its columns all stay in place.
  return Prune(plan, std::move(all)).plan;
}

}  // namespace millrace
