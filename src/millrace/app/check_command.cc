#include "millrace/app/check_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/app/load_project.h"
#include "millrace/app/project.h"
#include "millrace/base/clock.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/terminal.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {

namespace {

/// What a start would do to the data directory; one line for each table and view.
std::string_view KindOf(const ProjectChange& change) {
  return change.is_sink ? "sink" : change.is_view ? "view" : "table";
}

Result<std::vector<std::string>> DescribeChanges(FileSystem& files, const LoadedProject& loaded) {
  std::vector<std::string> lines;
  const Configuration& values = loaded.configuration.values;
  if (!files.Info(JoinPath(values.places.data_dir, "IDENTITY"))) {
    return lines;
  }
  const SystemClock clock;
  auto transport = EmbeddedTransport::Open(files, clock, values.places.data_dir, values.storage);
  if (!transport && transport.error().code() == ErrorCode::kDataDirLocked) {
    terminal::Note(fmt::format("{} is in use: what a start would change in it is not looked at",
                               values.places.data_dir));
    return lines;
  }
  if (!transport) {
    return Err(transport.error());
  }
  MR_ASSIGN(const auto changes,
            ProjectChanges::Find(loaded.project.definition, **transport, loaded.changes));
  for (const ProjectChange& change : changes.list()) {
    const bool stays = change.kind == ProjectChange::Kind::kUndefined;
    lines.push_back(fmt::format("{} {}: {}{}{}{}", KindOf(change), change.name, Name(change.kind),
                                change.reason.empty() ? "" : ": ",
                                stays ? "; --prune drops its data" : change.reason,
                                change.is_beside ? "; it serves as it was until then" : ""));
  }
  return lines;
}

void WarnOfUnboundedJoins(const ProjectDefinition& project) {
  for (const ViewDefinition& view : project.views) {
    for (const std::string& join : UnboundedJoins(*view.plan)) {
      terminal::Note(fmt::format(
          "{}: {}: \"{}\" keeps every row of an input that only grows: nothing bounds the time "
          "between rows that match",
          view.location.ToString(), view.of_insert ? "the INSERT" : "view " + view.name, join));
    }
  }
}

}  // namespace

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
  WarnOfUnboundedJoins(definition);
  const auto views = std::ranges::count(definition.views, false, &ViewDefinition::of_insert);
  std::string text = fmt::format("{}: {}, {}", loaded->configuration.values.places.project_dir,
                                 counted(definition.tables.size(), "table"),
                                 counted(static_cast<size_t>(views), "view"));
  if (!definition.sinks.empty()) {
    text += ", " + counted(definition.sinks.size(), "sink");
  }
  const auto changes = DescribeChanges(files, *loaded);
  if (!changes) {
    return terminal::Fail(changes.error());
  }
  terminal::Result(text + ", no errors");
  for (const std::string& line : *changes) {
    terminal::Result(line);
  }
  return 0;
}

}  // namespace millrace
