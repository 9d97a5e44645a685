#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Merges a projection into the projection below it, where no computed column would then be
/// computed more than once.
PlanPtr MergeProjects(const PlanPtr& plan);

}  // namespace millrace
