#include "millrace/plan/rules/fold_constants.h"

#include "millrace/expr/constant_folding.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {

PlanPtr FoldPlanConstants(const PlanPtr& plan) {
  if (plan->inputs.empty()) {
    return plan;
  }
  const PlanPtr input = FoldPlanConstants(plan->inputs[0]);
  if (plan->kind == PlanNode::Kind::kFilter) {
    const ExpressionPtr predicate = FoldConstants(plan->filter.predicate);
    const bool always = predicate->is_literal() && predicate->literal == Value(true);
    return always ? input : MakeFilter(input, predicate);
  }
  if (plan->kind == PlanNode::Kind::kProject) {
    std::vector<ExpressionPtr> expressions;
    for (const ExpressionPtr& expression : plan->project.expressions) {
      expressions.push_back(FoldConstants(expression));
    }
    return MakeProject(input, std::move(expressions), FieldNames(*plan->schema));
  }
  return WithInput(*plan, input);
}

}  // namespace millrace
