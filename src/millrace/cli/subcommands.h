#pragma once

#include <functional>
#include <string_view>

namespace CLI {
class App;
}

namespace millrace {

struct Commands;

/// What the arguments chose; runs once they are all read.
using ChosenCommand = std::function<int()>;

// One function per command, each in the source of that name: adds the command to `app`, and sets
// `chosen` when the arguments name it. `app`, `commands` and `chosen` outlive the parse.
void AddRunCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen);
void AddCheckCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen);
void AddConfigCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen);
void AddInitCommand(CLI::App& app, ChosenCommand& chosen);
void AddTailCommand(CLI::App& app, ChosenCommand& chosen);
void AddStreamsCommand(CLI::App& app, ChosenCommand& chosen);
void AddViewsCommand(CLI::App& app, ChosenCommand& chosen);
void AddReplayCommand(CLI::App& app, ChosenCommand& chosen);
void AddSqlCommand(CLI::App& app, ChosenCommand& chosen);
void AddBenchCommand(CLI::App& app, ChosenCommand& chosen);
/// Adds to `bench` what works on the events of the Nexmark benchmark.
void AddBenchNexmarkCommand(CLI::App& bench, ChosenCommand& chosen);
void AddTokenCommand(CLI::App& app, ChosenCommand& chosen);
void AddReferenceCommand(CLI::App& app, const Commands& commands, ChosenCommand& chosen);
void AddVersionCommand(CLI::App& app, std::string_view version, ChosenCommand& chosen);

}  // namespace millrace
