#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/base/source_location.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// One SQL file of a project. `path` is what messages show.
struct SqlFile {
  std::string path;
  std::string text;  ///< UTF-8, at most 1 MiB.
};

/// What the project's configuration decides for all definitions.
struct CompileOptions {
  Micros default_grace = 0;  ///< For views without the option `grace`.
  /// Size of the windows of `tumble(table, column)`; none = every view has to say it.
  std::optional<Micros> default_window_size;
  uint32_t default_partitions = 4;  ///< For tables without the option `partitions`.
  /// Checks what the connector of a table owns: TableDefinition::options. Null = nobody does.
  std::function<void(const TableDefinition&, std::vector<ProjectError>&)> check_connector;
  /// The same for a table that INSERT INTO fills.
  std::function<void(const SinkDefinition&, std::vector<ProjectError>&)> check_sink;
};

/// Compiles the SQL files of a project. Files are declarative: the order of statements within and
/// across them does not matter. Goes on after an error, so that `errors` (may be null) gets all of
/// them, sorted by file, line and column.
///
/// Returns the definitions in dependency order, with optimised plans; plain views are inlined and
/// do not appear. On failure returns the first error, with its location as context. Codes: 2xxx,
/// and kConfigInvalidValue and kConfigUnknownKey for the WITH options that are read here.
///
/// Safe from any thread; parses on a thread of its own with a large stack.
Result<ProjectDefinition> CompileProject(std::span<const SqlFile> files,
                                         const CompileOptions& options,
                                         std::vector<ProjectError>* errors);

}  // namespace millrace
