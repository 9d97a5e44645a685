#pragma once

#include "millrace/data/sort_encoding.h"
#include "millrace/sql/located_error.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// How a key of an ORDER BY sorts values of `type`; as in PostgreSQL NULLs come last, and first
/// with DESC. kSqlNotSupported, kSqlTypeMismatch.
Bound<SortDirection> ReadSortDirection(const TreeNode& sort, const DataType& type, int offset);

}  // namespace millrace::internal
