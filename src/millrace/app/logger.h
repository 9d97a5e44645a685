#pragma once

#include "millrace/base/logging.h"

namespace millrace {

inline constexpr Logger kAppLog("app");

}  // namespace millrace
