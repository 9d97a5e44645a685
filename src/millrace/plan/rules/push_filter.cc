#include "millrace/plan/rules/push_filter.h"

#include <algorithm>

#include "millrace/plan/plan_builder.h"
#include "millrace/plan/rules/conjuncts.h"
#include "millrace/plan/rules/join_conditions.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

/// Whether a condition over `node`'s output says the same over its input's columns.
bool PassesThrough(const Expression& condition, const PlanNode& node) {
  bool passes = true;
  ForEachColumn(condition, [&](size_t column) {
    passes &= node.kind == Kind::kWindow ? column < node.inputs[0]->schema->size()
                                         : node.project.expressions[column]->is_column();
  });
  return passes;
}

ExpressionPtr OverInput(const ExpressionPtr& condition, const PlanNode& node) {
  if (node.kind == Kind::kWindow) {
    return condition;
  }
  return ReplaceColumns(
      condition, [&](const Expression& column) { return node.project.expressions[column.column]; });
}

PlanPtr PushInto(const PlanPtr& input, std::vector<ExpressionPtr> conjuncts);

PlanPtr PushIntoJoin(const PlanNode& join, const std::vector<ExpressionPtr>& conjuncts) {
  const JoinConditions conditions = SortJoinConditions(join, conjuncts);
  return BuildJoin(join, PushInto(join.inputs[0], conditions.left),
                   PushInto(join.inputs[1], conditions.right), conditions);
}

PlanPtr PushIntoUnion(const PlanNode& node, const std::vector<ExpressionPtr>& conjuncts) {
  std::vector<PlanPtr> inputs;
  inputs.reserve(node.inputs.size());
  for (const PlanPtr& input : node.inputs) {
    inputs.push_back(PushInto(input, conjuncts));
  }
  return MakeUnion(std::move(inputs));
}

PlanPtr PushInto(const PlanPtr& input, std::vector<ExpressionPtr> conjuncts) {
  if (input->kind == Kind::kFilter) {
    // The inner condition was evaluated first and stays first.
    std::vector<ExpressionPtr> all = Conjuncts(input->filter.predicate);
    all.insert(all.end(), conjuncts.begin(), conjuncts.end());
    return PushInto(input->inputs[0], std::move(all));
  }
  if (input->kind == Kind::kJoin) {
    return PushIntoJoin(*input, conjuncts);
  }
  if (input->kind == Kind::kUnion) {
    return PushIntoUnion(*input, conjuncts);
  }
  if (input->kind != Kind::kProject && input->kind != Kind::kWindow) {
    std::vector<PlanPtr> below;
    for (const PlanPtr& each : input->inputs) {
      below.push_back(PushInto(each, {}));
    }
    return FilterBy(below.empty() ? input : WithInputs(*input, std::move(below)),
                    std::move(conjuncts));
  }
  // Only a prefix moves: a later condition may rely on an earlier one (x <> 0 AND 1 / x > 2).
  const auto stay = std::ranges::find_if_not(
      conjuncts, [&](const ExpressionPtr& each) { return PassesThrough(*each, *input); });
  std::vector<ExpressionPtr> moved;
  for (auto each = conjuncts.begin(); each != stay; ++each) {
    moved.push_back(OverInput(*each, *input));
  }
  conjuncts.erase(conjuncts.begin(), stay);
  return FilterBy(WithInputs(*input, {PushInto(input->inputs[0], std::move(moved))}),
                  std::move(conjuncts));
}

}  // namespace

PlanPtr PushFilters(const PlanPtr& plan) { return PushInto(plan, {}); }

}  // namespace millrace
