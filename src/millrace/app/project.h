#pragma once

#include <string>
#include <vector>

#include "millrace/base/file_system.h"
#include "millrace/sql/compile_project.h"

namespace millrace {

/// A project directory, compiled.
struct Project {
  std::string directory;
  ProjectDefinition definition;
};

/// Reads and compiles all *.sql files of `directory`, in order of name. `errors` gets every
/// problem; on failure the first one is returned too. kProjectNotFound when there is no such
/// directory or no SQL file in it.
Result<Project> LoadProject(FileSystem& files, const std::string& directory,
                            std::vector<ProjectError>* errors);

/// Looks at what the project's sources would read, as far as that can be told before they start:
/// adds kSourceUnavailable and the like, at the tables.
void CheckSources(FileSystem& files, const Project& project, std::vector<ProjectError>& errors);

}  // namespace millrace
