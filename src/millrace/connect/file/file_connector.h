#pragma once

#include "millrace/connect/connector.h"

namespace millrace {

/// Lines of files (docs/connectors/file.md).
Connector MakeFileConnector();

}  // namespace millrace
