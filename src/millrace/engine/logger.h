#pragma once

#include "millrace/base/logging.h"

namespace millrace {

inline constexpr Logger kEngineLog("engine");

}  // namespace millrace
