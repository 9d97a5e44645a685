#include "millrace/app/check_command.h"

#include <fmt/format.h>

#include "millrace/app/load_project.h"
#include "millrace/app/project.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/terminal.h"

namespace millrace {

int CheckProject(const ProjectSelection& selection) {
  PosixFileSystem files;
  std::vector<ProjectError> errors;
  const auto loaded = LoadAll(files, selection, errors);
  if (!loaded) {
    PrintErrors(errors);
    return kExitFailure;
  }
  CheckSources(files, loaded->project, errors);
  if (!errors.empty()) {
    PrintErrors(errors);
    return kExitFailure;
  }
  for (const OptionReading& unused : UnusedOptions(loaded->configuration)) {
    terminal::Note(fmt::format("{}: {} is not used without {}", unused.origin.ToString(),
                               unused.name, unused.only_for));
  }
  const auto counted = [](size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  const ProjectDefinition& definition = loaded->project.definition;
  terminal::Result(fmt::format(
      "{}: {}, {}, no errors", loaded->configuration.values.places.project_dir,
      counted(definition.tables.size(), "table"), counted(definition.views.size(), "view")));
  return 0;
}

}  // namespace millrace
