#include "millrace/app/load_project.h"

#include "millrace/cli/terminal.h"

namespace millrace {

ConfigurationRequest RequestOf(const ProjectSelection& selection) {
  return {.directory = selection.directory,
          .flags = selection.flags,
          .environment = ProcessEnvironment()};
}

std::optional<LoadedProject> LoadAll(FileSystem& files, const ProjectSelection& selection,
                                     std::vector<ProjectError>& errors) {
  LoadedProject loaded{.configuration = LoadConfiguration(files, RequestOf(selection)),
                       .project = {}};
  errors = loaded.configuration.errors;
  const Configuration& values = loaded.configuration.values;
  auto project = LoadProject(files, values.places.project_dir, values.processing, errors);
  if (!project || !errors.empty()) {
    return std::nullopt;
  }
  loaded.project = *std::move(project);
  return loaded;
}

void PrintErrors(const std::vector<ProjectError>& errors) {
  for (const ProjectError& error : errors) {
    terminal::Line(error.ToString());
  }
}

}  // namespace millrace
