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
                       .project = {},
                       .changes = {}};
  errors = loaded.configuration.errors;
  const Configuration& values = loaded.configuration.values;
  auto project = LoadProject(files, values.places.project_dir, values.processing, errors);
  if (!project || !errors.empty()) {
    return std::nullopt;
  }
  loaded.project = *std::move(project);
  loaded.changes = {.state_partitions = values.engine.pipeline.state_partitions,
                    .prune = selection.prune,
                    .accept_partial_history = selection.accept_partial_history,
                    .rebuild_sinks = selection.rebuild_sinks};
  return loaded;
}

void PrintErrors(const std::vector<ProjectError>& errors) {
  for (const ProjectError& error : errors) {
    terminal::Line(error.ToString());
  }
}

}  // namespace millrace
