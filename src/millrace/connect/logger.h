#pragma once

#include "millrace/base/logging.h"

namespace millrace {

inline constexpr Logger kConnectLog("connect");

}  // namespace millrace
