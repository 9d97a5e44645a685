#pragma once

#include "millrace/data/types.h"
#include "millrace/expr/kernel.h"

namespace millrace {

/// How freely a cast happens, PostgreSQL's three contexts.
enum class CastContext : uint8_t {
  kImplicit,    ///< Between arguments and operators: integer to bigint, date to timestamptz.
  kAssignment,  ///< Storing into a column: also bigint to integer, numeric to integer.
  kExplicit,    ///< CAST and `::`: also text to anything and back.
};

/// Returns whether values of `from` can be cast to `to`.
bool CanCast(const DataType& from, const DataType& to, CastContext context);

/// Returns whether some value of `from` has no counterpart in `to`.
bool CastMayFail(const DataType& from, const DataType& to);

/// Casts the argument of `call` to `call.type`; CanCast holds for kExplicit. Failed rows:
/// kInvalidCast, kNumericOutOfRange, kDatetimeOutOfRange. Numbers round half away from zero when
/// they go to numeric(p, s) or from numeric to an integer, and half to even from floating point to
/// an integer.
Column CastColumn(const KernelCall& call);

}  // namespace millrace
