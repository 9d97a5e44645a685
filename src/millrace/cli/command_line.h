#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/option_sources.h"

namespace millrace {

/// Which project a command is about, and the options that its flags set.
struct ProjectSelection {
  std::string directory;  ///< DIR; empty when it was not given.
  std::vector<OptionFlag> flags;
  bool prune = false;                   ///< Drop what the project no longer defines.
  bool accept_partial_history = false;  ///< Rebuild views from what their inputs still hold.
  bool rebuild_sinks = false;           ///< Begin sinks of rebuilt views anew.
};

/// The commands that need the whole platform; each returns the exit status of the process. The
/// others are in this folder.
struct Commands {
  std::function<int(const ProjectSelection&)> run;
  std::function<int(const ProjectSelection&)> check;
  std::function<int(const ProjectSelection&)> print_config;
  /// Prints one page of the generated reference: configuration, metrics, errors or cli.
  std::function<int(const std::string& page)> print_reference;
};

/// Exit statuses of all commands.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

/// Reads the command line, runs one command and returns the exit status of the process. Prints
/// help, the version and usage errors itself.
int RunCommandLine(int argc, const char* const* argv, std::string_view version,
                   const Commands& commands);

/// Appends the help of all commands as Markdown, for the generated reference.
void AppendCommandReference(std::string& out);

}  // namespace millrace
