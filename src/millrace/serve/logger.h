#pragma once

#include "millrace/base/logging.h"

namespace millrace::serve {

inline constexpr Logger kServeLog("serve");

}  // namespace millrace::serve
