#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Returns a plan with the same result that does less work: constants are folded, filters move
/// towards the scans, scans give only the columns that are used. The output schema stays.
PlanPtr OptimizePlan(PlanPtr plan);

}  // namespace millrace
