#pragma once

#include "millrace/connect/connector.h"

namespace millrace {

/// The events of the Nexmark benchmark (docs/connectors/nexmark.md).
Connector MakeNexmarkConnector();

}  // namespace millrace
