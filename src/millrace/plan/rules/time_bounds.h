#pragma once

#include <optional>
#include <vector>

#include "millrace/plan/plan_node.h"

namespace millrace {

/// How far two timestamptz columns may be apart where all conditions hold, as far as conditions
/// such as `a >= b - interval '5 minutes'` say so; none unless they bound it on both sides.
std::optional<JoinInterval> FindTimeBounds(const std::vector<ExpressionPtr>& conditions,
                                           size_t left_column, size_t right_column);

}  // namespace millrace
