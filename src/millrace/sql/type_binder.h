#pragma once

#include "millrace/data/types.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// Binds a TypeName node. kSqlUnknownType with the nearest name, kSqlNotSupported for PostgreSQL
/// types that Millrace does not have, kSqlInvalidDefinition for parameters out of range. `offset`
/// is used where the node has no location.
Bound<DataType> BindType(const TreeNode& type_name, int offset);

}  // namespace millrace::internal
