#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"

namespace millrace {

void AddVersionCommand(CLI::App& app, std::string_view version, ChosenCommand& chosen) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([&chosen, version] {
    chosen = [version] {
      terminal::Result(fmt::format("millrace {}", version));
      return 0;
    };
  });
}

}  // namespace millrace
