#pragma once

#include "millrace/connect/connector.h"

namespace millrace {

/// Records that clients post to /api/v1/streams/{stream}/records.
Connector MakeHttpConnector();

}  // namespace millrace
