#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/result.h"
#include "millrace/plan/definitions.h"
#include "millrace/plan/query_definition.h"

namespace millrace {

struct CompileQueryOptions {
  Micros now = 0;                             ///< What now() gives.
  std::optional<Micros> default_window_size;  ///< As in CompileOptions.
};

/// Compiles one SELECT, or EXPLAIN [ANALYZE] SELECT, over the tables and views of a project.
/// Materialized views are read as the rows that they have now, tables with a primary key likewise.
/// Errors: 2xxx, with line and column in the message. `text` may be hostile; parses on a thread of
/// its own. Safe from any thread.
Result<QueryDefinition> CompileQuery(std::string_view text, const ProjectDefinition& project,
                                     const CompileQueryOptions& options);

}  // namespace millrace
