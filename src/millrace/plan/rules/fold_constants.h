#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Folds constants in all expressions; drops filters that are always true.
PlanPtr FoldPlanConstants(const PlanPtr& plan);

}  // namespace millrace
