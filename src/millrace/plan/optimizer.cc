#include "millrace/plan/optimizer.h"

namespace millrace {

PlanPtr OptimizePlan(PlanPtr plan) { return plan; }

}  // namespace millrace
