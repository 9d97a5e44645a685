#pragma once

#include "millrace/connect/connector.h"

namespace millrace {

/// Made-up rows (docs/connectors/datagen.md).
Connector MakeDatagenConnector();

}  // namespace millrace
