#pragma once

#include <optional>
#include <vector>

#include "millrace/app/configuration.h"
#include "millrace/app/project.h"
#include "millrace/app/project_changes.h"
#include "millrace/cli/command_line.h"

namespace millrace {

/// A project with its configuration, both without errors.
struct LoadedProject {
  LoadedConfiguration configuration;
  Project project;
  ProjectChangeOptions changes;
};

/// The request of a command line in this process' environment.
ConfigurationRequest RequestOf(const ProjectSelection& selection);

/// Reads configuration and SQL; adds every error of both to `errors`, and then returns nothing.
std::optional<LoadedProject> LoadAll(FileSystem& files, const ProjectSelection& selection,
                                     std::vector<ProjectError>& errors);

/// One line each on standard error.
void PrintErrors(const std::vector<ProjectError>& errors);

}  // namespace millrace
