#pragma once

#include "millrace/expr/expression.h"

namespace millrace {

/// Returns the expression with every part that has only literals replaced by its value. Parts that
/// fail (1 / 0) stay: they fail at run time, on the rows that reach them. AND, OR, NOT, CASE and
/// COALESCE lose the branches that literals decide.
ExpressionPtr FoldConstants(const ExpressionPtr& expression);

}  // namespace millrace
