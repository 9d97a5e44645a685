#pragma once

#include <vector>

#include "millrace/plan/plan_node.h"

namespace millrace {

/// The conditions that are all true when `predicate` is, in order; none for null.
std::vector<ExpressionPtr> Conjuncts(const ExpressionPtr& predicate);

/// True when all conditions are; null for none.
ExpressionPtr Conjunction(std::vector<ExpressionPtr> conjuncts);

/// `input` with a filter on top, where there are conditions.
PlanPtr FilterBy(PlanPtr input, std::vector<ExpressionPtr> conjuncts);

/// Whether an expression may fail on some row, so that it must not be evaluated where SQL would
/// not.
bool CanFail(const Expression& expression);

}  // namespace millrace
