#include "millrace/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/cli/subcommands.h"

namespace millrace {

namespace {

void AddCommands(CLI::App& app, std::string_view version, const Commands& commands,
                 ChosenCommand& chosen) {
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(version));
  app.get_formatter()->column_width(34);
  AddInitCommand(app, chosen);
  AddRunCommand(app, commands, chosen);
  AddCheckCommand(app, commands, chosen);
  AddTailCommand(app, chosen);
  AddStreamsCommand(app, chosen);
  AddViewsCommand(app, chosen);
  AddReplayCommand(app, chosen);
  AddSqlCommand(app, chosen);
  AddBenchCommand(app, chosen);
  AddConfigCommand(app, commands, chosen);
  AddTokenCommand(app, chosen);
  AddVersionCommand(app, version, chosen);
  AddReferenceCommand(app, commands, chosen);
}

constexpr std::string_view kDescription =
    "Millrace: events in, SQL views kept exactly once, answers out.";

constexpr int kParsed = -1;

/// kParsed, or the exit status after help or a usage error was printed.
int Parse(CLI::App& app, int argc, const char* const* argv) {
  CLI11_PARSE(app, argc, argv);
  return kParsed;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, std::string_view version,
                   const Commands& commands) {
  CLI::App app(std::string(kDescription), "millrace");
  ChosenCommand chosen;
  AddCommands(app, version, commands, chosen);
  if (const int status = Parse(app, argc, argv); status != kParsed) {
    return status == 0 ? 0 : kExitUsage;
  }
  return chosen();
}

void AppendCommandReference(std::string& out) {
  CLI::App app(std::string(kDescription), "millrace");
  const Commands commands;
  ChosenCommand chosen;
  AddCommands(app, "", commands, chosen);
  const auto append = [&](const CLI::App& command, const std::string& parent) {
    out +=
        fmt::format("\n## {} {}\n\n```\n{}```\n", parent, command.get_name(), command.help(parent));
  };
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty()) {
      continue;
    }
    const auto inner = command->get_subcommands([](const CLI::App*) { return true; });
    if (inner.empty() || command->get_require_subcommand_min() == 0) {
      append(*command, "millrace");
    }
    for (const CLI::App* each : inner) {
      append(*each, "millrace " + command->get_name());
    }
  }
}

}  // namespace millrace
