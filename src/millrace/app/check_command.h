#pragma once

#include "millrace/cli/command_line.h"

namespace millrace {

/// `millrace check`: prints every error of the project. Returns 0 when there is none, else 1.
int CheckProject(const ProjectSelection& selection);

}  // namespace millrace
