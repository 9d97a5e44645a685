#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/app/processing_options.h"
#include "millrace/base/file_system.h"
#include "millrace/sql/compile_project.h"

namespace millrace {

/// What a project's definition was compiled from.
struct ProjectText {
  std::vector<SqlFile> files;  ///< With names in the project's directory as paths.
  Micros default_grace = 0;
  std::optional<Micros> default_window_size;
};

/// A project directory, compiled.
struct Project {
  std::string directory;
  ProjectDefinition definition;
  ProjectText text = {};
};

/// Reads and compiles all *.sql files of `directory`, in order of name, with the windows and grace
/// of `processing` as defaults. Adds every problem to `errors` and then returns nothing: those of
/// CompileProject, and kProjectNotFound when there is no such directory or no SQL file in it.
std::optional<Project> LoadProject(FileSystem& files, const std::string& directory,
                                   const ProcessingOptions& processing,
                                   std::vector<ProjectError>& errors);

/// Looks at what the project's sources would read, as far as that can be told before they start:
/// adds kSourceUnavailable and the like, at the tables.
void CheckSources(FileSystem& files, const Project& project, std::vector<ProjectError>& errors);

}  // namespace millrace
