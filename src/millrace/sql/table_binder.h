#pragma once

#include "millrace/plan/definitions.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// Binds a CreateStmt: columns, generated columns and the WITH options event_time, watermark_delay,
/// partitions and partition_by; other options go to TableDefinition::options unread.
/// kSqlInvalidDefinition, kSqlDuplicateName, kConfigInvalidValue and what expressions and types
/// give.
Bound<TableDefinition> BindTable(const TreeNode& create, const Script& script,
                                 const CompileOptions& options);

}  // namespace millrace::internal
