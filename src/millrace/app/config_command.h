#pragma once

#include "millrace/cli/command_line.h"

namespace millrace {

/// `millrace config print`: every option with its value and its origin; 1 after printing errors.
int PrintConfiguration(const ProjectSelection& selection);

}  // namespace millrace
