#pragma once

#include "millrace/data/value.h"

namespace millrace {

/// SQL order of two values of one type: NULLs last, NaN behind all numbers. Negative, 0 or
/// positive.
int CompareValues(const Value& a, const Value& b);

}  // namespace millrace
