#pragma once

#include <span>

#include "millrace/data/types.h"

namespace millrace {

// Result types of numeric arithmetic. PostgreSQL's numeric has as many digits as it needs; ours is
// a 128-bit integer times 10^-scale, with a scale that the types alone decide:
//
//   a + b, a - b   scale max(sa, sb), one more integer digit than the larger side
//   a * b          scale sa + sb
//   a / b          scale max(16, sa, sb)
//   a % b          scale max(sa, sb)
//
// Where a product passes 38 digits, its scale shrinks until the integer digits fit, but not below
// max(sa, sb). A value that then has too many integer digits is kNumericOutOfRange: a quotient has
// room for 22. Results are
// rounded half away from zero, as PostgreSQL's are. Integers take part as numeric(5,0), (10,0) and
// (19,0).

/// The numeric type that holds every value of `type`, an integer or numeric type.
DataType NumericTypeOf(const DataType& type);

DataType AddType(std::span<const DataType> arguments);
DataType MultiplyType(std::span<const DataType> arguments);
DataType DivideType(std::span<const DataType> arguments);
DataType ModuloType(std::span<const DataType> arguments);
/// The smallest type that holds all values of both.
DataType UnionType(const DataType& a, const DataType& b);

}  // namespace millrace
