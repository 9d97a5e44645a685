#include <CLI/CLI.hpp>

#include "millrace/cli/project_flags.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

void AddConfigCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen) {
  CLI::App* config = app.add_subcommand("config", "Look at the configuration");
  config->require_subcommand(1);
  CLI::App* print =
      config->add_subcommand("print", "Print every option's value and where it came from");
  const auto flags = std::make_shared<ProjectFlags>();
  flags->AddTo(*print);
  print->footer(
      "Flags come before the environment (MILLRACE__HTTP__LISTEN for http.listen), that before\n"
      "millrace.yaml, and that before the defaults. Secrets print as dots.\n\n"
      "Examples:\n"
      "  millrace config print examples/clicks\n"
      "  MILLRACE__LOGGING__LEVEL=debug millrace config print .\n");
  print->callback([flags, &commands, &chosen] {
    chosen = [flags, &commands] { return commands.print_config(flags->Take()); };
  });
}

}  // namespace millrace
