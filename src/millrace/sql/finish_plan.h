#pragma once

#include "millrace/plan/plan_node.h"
#include "millrace/sql/located_error.h"

namespace millrace::internal {

/// Optimises the plan of a whole query. kSqlNotSupported, at `offset`, for a join whose pairs
/// cannot be found by something that is equal.
Bound<PlanPtr> FinishPlan(PlanPtr plan, int offset);

}  // namespace millrace::internal
