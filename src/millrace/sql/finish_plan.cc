#include "millrace/sql/finish_plan.h"

#include <utility>

#include "millrace/plan/optimizer.h"

namespace millrace::internal {

namespace {

bool IsCrossJoin(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kJoin && node.join.left_keys.empty() &&
         (!node.join.left_time || node.join.interval);
}

}  // namespace

Bound<PlanPtr> FinishPlan(PlanPtr plan, int offset) {
  plan = OptimizePlan(std::move(plan));
  if (AnyNode(*plan, IsCrossJoin)) {
    return ErrAt(offset, ErrorCode::kSqlNotSupported,
                 "not supported: a join without an equality between its two sides",
                 "join ON a.column = b.column, and whatever else must hold");
  }
  return plan;
}

}  // namespace millrace::internal
