#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Returns a plan with the same result that does less work: constants are folded, filters move
/// towards the scans, scans give only the columns that are used. The output schema stays.
PlanPtr OptimizePlan(PlanPtr plan);

/// Moves conditions into the joins of a plan, so that these know their keys, and the windows or the
/// interval that their rows share. The output stays.
PlanPtr FindJoinKeys(const PlanPtr& plan);

}  // namespace millrace
