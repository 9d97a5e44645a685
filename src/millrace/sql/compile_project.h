#pragma once

#include <span>
#include <string>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// One SQL file of a project. `path` is what messages show.
struct SqlFile {
  std::string path;
  std::string text;  ///< UTF-8, at most 1 MiB.
};

/// What the project's configuration decides for all definitions.
struct CompileOptions {
  Micros default_grace = 0;         ///< For views without the option `grace`.
  uint32_t default_partitions = 4;  ///< For tables without the option `partitions`.
};

/// One problem of a project and where it is.
struct CompileError {
  SourceLocation location;
  Error error;

  std::string ToString() const;  ///< "file:line:column: MR2005: message (hint)"
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
                                         std::vector<CompileError>* errors);

}  // namespace millrace
