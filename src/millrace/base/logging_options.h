#pragma once

#include "millrace/base/logging.h"
#include "millrace/base/options.h"

namespace millrace {

/// logging.level and logging.format.
const OptionTable<LogOptions>& LogOptionTable();

}  // namespace millrace
