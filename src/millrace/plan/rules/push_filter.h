#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Moves filters below projections and windows where they only use columns that pass through, so
/// that fewer rows are computed. Conditions that cannot move stay. Conditions that may fail do not
/// move below others that may guard them.
PlanPtr PushFilters(const PlanPtr& plan);

}  // namespace millrace
