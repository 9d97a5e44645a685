#pragma once

#include "millrace/connect/connector.h"

namespace millrace {

/// A sink that takes rows and writes nothing; it keeps positions as any other does.
Connector MakeBlackholeConnector();

}  // namespace millrace
