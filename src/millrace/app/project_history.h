#pragma once

#include <memory>
#include <vector>

#include "millrace/app/project.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// What a data directory was run with before, newest first.
using FormerProjects = std::vector<std::shared_ptr<const ProjectDefinition>>;

/// Keeps the SQL of a project in the stream project$ of `transport`, unless it is what was kept
/// last; the last few are there. A start finds in them how a view that has changed since can go on.
/// Does nothing for a project without text. Blocks. Errors: those of CreateStream and Append.
Status KeepProject(const Project& project, Transport& transport);

/// Compiles what KeepProject has kept; leaves out what does not compile any more. Errors:
/// kCorruption, kFormatTooNew, kIoError.
Result<FormerProjects> CompileFormerProjects(Transport& transport);

}  // namespace millrace
