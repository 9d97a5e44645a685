#include "millrace/plan/optimizer.h"

#include "millrace/plan/rules/fold_constants.h"
#include "millrace/plan/rules/merge_projects.h"
#include "millrace/plan/rules/prune_columns.h"
#include "millrace/plan/rules/push_filter.h"

namespace millrace {

PlanPtr OptimizePlan(PlanPtr plan) {
  plan = FoldPlanConstants(plan);
  plan = PushFilters(plan);
  plan = MergeProjects(plan);
  return PruneColumns(plan);
}

PlanPtr FindJoinKeys(const PlanPtr& plan) {
  const bool joins =
      AnyNode(*plan, [](const PlanNode& node) { return node.kind == PlanNode::Kind::kJoin; });
  return joins ? PushFilters(FoldPlanConstants(plan)) : plan;
}

}  // namespace millrace
