#pragma once

#include <string>

#include "millrace/cli/command_line.h"

namespace millrace {

/// `millrace run`: starts the project and serves it until SIGTERM or Ctrl-C, then ends the running
/// epochs and returns the exit status. A second signal ends the process at once.
int RunProject(const RunOptions& options);

/// `millrace check`: prints every error of the project. Returns 0 when there is none, else 1.
int CheckProject(const std::string& project_dir);

}  // namespace millrace
