#pragma once

#include "millrace/base/logging.h"

namespace millrace {

inline constexpr Logger kStreamLog("stream");

}  // namespace millrace
