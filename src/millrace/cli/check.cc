#include <CLI/CLI.hpp>

#include "millrace/cli/project_flags.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

void AddCheckCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen) {
  CLI::App* check = app.add_subcommand(
      "check", "Print every error of a project's configuration and SQL, and run nothing");
  const auto flags = std::make_shared<ProjectFlags>();
  flags->AddTo(*check);
  check->footer(
      "Each error has its file:line:column, its code and, where there is one, a hint. The exit\n"
      "status is 1 when there is an error.\n\n"
      "Example:\n"
      "  millrace check examples/clicks\n");
  check->callback([flags, &commands, &chosen] {
    chosen = [flags, &commands] { return commands.check(flags->Take()); };
  });
}

}  // namespace millrace
