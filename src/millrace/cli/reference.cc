#include <CLI/CLI.hpp>

#include "millrace/cli/command_line.h"
#include "millrace/cli/subcommands.h"

namespace millrace {

void AddReferenceCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen) {
  CLI::App* reference = app.add_subcommand("reference", "Print a page of docs/reference");
  reference->group("");  // For tools/check_docs.py, not for users.
  const auto page = std::make_shared<std::string>();
  reference->add_option("PAGE", *page, "Which page")
      ->required()
      ->check(CLI::IsMember({"configuration", "metrics", "errors", "cli"}));
  reference->callback([page, &commands, &chosen] {
    chosen = [page, &commands] { return commands.print_reference(*page); };
  });
}

}  // namespace millrace
