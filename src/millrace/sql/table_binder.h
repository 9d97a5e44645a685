#pragma once

#include "millrace/plan/definitions.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// Binds a CreateStmt: columns, generated columns and the WITH options of TableOptionTable; other
/// options go to TableDefinition::options and to `options.check_connector`. What is wrong with
/// options is added to `errors`, and their defaults are taken. Otherwise kSqlInvalidDefinition,
/// kSqlDuplicateName and what expressions and types give.
Bound<TableDefinition> BindTable(const TreeNode& create, const Script& script,
                                 const CompileOptions& options, std::vector<ProjectError>& errors);

}  // namespace millrace::internal
