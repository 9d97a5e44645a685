#include <CLI/CLI.hpp>

#include "millrace/cli/project_flags.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

void AddCheckCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen) {
  CLI::App* check = app.add_subcommand(
      "check", "Print every error of a project and what a start will change, and run nothing");
  const auto flags = std::make_shared<ProjectFlags>();
  flags->AddTo(*check);
  flags->AddChangeFlags(*check);
  check->footer(
      "Each error has its file:line:column, its code and, where there is one, a hint. The exit\n"
      "status is 1 when there is an error. Without errors it prints what a start will create,\n"
      "change, rebuild and keep in the data directory, which it recovers as a start does.\n\n"
      "Example:\n"
      "  millrace check examples/clicks\n");
  check->callback([flags, &commands, &chosen] {
    chosen = [flags, &commands] { return commands.check(flags->Take()); };
  });
}

}  // namespace millrace
