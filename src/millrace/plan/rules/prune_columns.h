#pragma once

#include "millrace/plan/plan_node.h"

namespace millrace {

/// Makes scans and projections give only the columns that something above uses.
/// The root keeps its schema.
PlanPtr PruneColumns(const PlanPtr& plan);

}  // namespace millrace
