#include "millrace/plan/rules/push_filter.h"

#include <algorithm>

#include "millrace/plan/plan_builder.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

std::vector<ExpressionPtr> Conjuncts(const ExpressionPtr& predicate) {
  return predicate->kind == Expression::Kind::kAnd ? predicate->arguments
                                                   : std::vector<ExpressionPtr>{predicate};
}

PlanPtr FilterBy(PlanPtr input, std::vector<ExpressionPtr> conjuncts) {
  if (conjuncts.empty()) {
    return input;
  }
  ExpressionPtr predicate = conjuncts.size() == 1
                                ? conjuncts.front()
                                : MakeBoolean(Expression::Kind::kAnd, std::move(conjuncts));
  return MakeFilter(std::move(input), std::move(predicate));
}

/// Whether a condition over `node`'s output says the same over its input's columns.
bool PassesThrough(const Expression& condition, const PlanNode& node) {
  bool passes = true;
  ForEachColumn(condition, [&](size_t column) {
    passes &= node.kind == Kind::kTumble ? column < node.inputs[0]->schema->size()
                                         : node.project.expressions[column]->is_column();
  });
  return passes;
}

ExpressionPtr OverInput(const ExpressionPtr& condition, const PlanNode& node) {
  if (node.kind == Kind::kTumble) {
    return condition;
  }
  return ReplaceColumns(
      condition, [&](const Expression& column) { return node.project.expressions[column.column]; });
}

PlanPtr PushInto(const PlanPtr& input, std::vector<ExpressionPtr> conjuncts) {
  if (input->kind == Kind::kFilter) {
    // The inner condition was evaluated first and stays first.
    std::vector<ExpressionPtr> all = Conjuncts(input->filter.predicate);
    all.insert(all.end(), conjuncts.begin(), conjuncts.end());
    return PushInto(input->inputs[0], std::move(all));
  }
  if (input->kind != Kind::kProject && input->kind != Kind::kTumble) {
    return FilterBy(PushFilters(input), std::move(conjuncts));
  }
  // Only a prefix moves: a later condition may rely on an earlier one (x <> 0 AND 1 / x > 2).
  const auto stay = std::ranges::find_if_not(
      conjuncts, [&](const ExpressionPtr& each) { return PassesThrough(*each, *input); });
  std::vector<ExpressionPtr> moved;
  for (auto each = conjuncts.begin(); each != stay; ++each) {
    moved.push_back(OverInput(*each, *input));
  }
  conjuncts.erase(conjuncts.begin(), stay);
  PlanPtr below =
      moved.empty() ? PushFilters(input->inputs[0]) : PushInto(input->inputs[0], std::move(moved));
  return FilterBy(WithInput(*input, std::move(below)), std::move(conjuncts));
}

}  // namespace

PlanPtr PushFilters(const PlanPtr& plan) {
  if (plan->inputs.empty()) {
    return plan;
  }
  if (plan->kind == Kind::kFilter) {
    return PushInto(plan->inputs[0], Conjuncts(plan->filter.predicate));
  }
  return WithInput(*plan, PushFilters(plan->inputs[0]));
}

}  // namespace millrace
