#include "millrace/plan/rules/merge_projects.h"

#include <algorithm>

#include "millrace/plan/plan_builder.h"

namespace millrace {

namespace {

using Kind = PlanNode::Kind;

/// Whether the expressions of `upper` use each computed column of `lower` at most once.
bool UsesComputedOnce(const PlanNode& upper, const PlanNode& lower) {
  std::vector<size_t> uses(lower.schema->size());
  for (const ExpressionPtr& expression : upper.project.expressions) {
    ForEachColumn(*expression, [&](size_t column) { ++uses[column]; });
  }
  for (size_t i = 0; i < uses.size(); ++i) {
    const Expression& computed = *lower.project.expressions[i];
    if (uses[i] > 1 && !computed.is_column() && !computed.is_literal()) {
      return false;
    }
  }
  return true;
}

}  // namespace

PlanPtr MergeProjects(const PlanPtr& plan) {
  if (plan->inputs.empty()) {
    return plan;
  }
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& each : plan->inputs) {
    inputs.push_back(MergeProjects(each));
  }
  const PlanPtr input = inputs[0];
  const bool both = plan->kind == Kind::kProject && input->kind == Kind::kProject;
  if (!both || !UsesComputedOnce(*plan, *input)) {
    return WithInputs(*plan, std::move(inputs));
  }
  std::vector<ExpressionPtr> expressions;
  for (const ExpressionPtr& expression : plan->project.expressions) {
    expressions.push_back(ReplaceColumns(expression, [&](const Expression& column) {
      return input->project.expressions[column.column];
    }));
  }
  return MakeProject(input->inputs[0], std::move(expressions), FieldNames(*plan->schema));
}

}  // namespace millrace
