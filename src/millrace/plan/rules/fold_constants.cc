#include "millrace/plan/rules/fold_constants.h"

#include "millrace/expr/constant_folding.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {

PlanPtr FoldPlanConstants(const PlanPtr& plan) {
  if (plan->inputs.empty()) {
    return plan;
  }
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& input : plan->inputs) {
    inputs.push_back(FoldPlanConstants(input));
  }
  if (plan->kind == PlanNode::Kind::kFilter) {
    const ExpressionPtr predicate = FoldConstants(plan->filter.predicate);
    const bool always = predicate->is_literal() && predicate->literal == Value(true);
    return always ? inputs[0] : MakeFilter(inputs[0], predicate);
  }
  if (plan->kind == PlanNode::Kind::kProject) {
    std::vector<ExpressionPtr> expressions;
    for (const ExpressionPtr& expression : plan->project.expressions) {
      expressions.push_back(FoldConstants(expression));
    }
    return MakeProject(inputs[0], std::move(expressions), FieldNames(*plan->schema));
  }
  if (plan->kind == PlanNode::Kind::kJoin && plan->join.condition != nullptr) {
    JoinNode join = plan->join;
    join.condition = FoldConstants(join.condition);
    return MakeJoin(inputs[0], inputs[1], std::move(join));
  }
  return WithInputs(*plan, std::move(inputs));
}

}  // namespace millrace
