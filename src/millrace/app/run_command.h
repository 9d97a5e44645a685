#pragma once

#include "millrace/cli/command_line.h"

namespace millrace {

/// `millrace run`: starts the project and serves it until SIGTERM or Ctrl-C, then ends the running
/// epochs and returns the exit status. A second signal ends the process at once. Once the
/// configuration is read, everything is said through the log.
int RunProject(const ProjectSelection& selection);

}  // namespace millrace
