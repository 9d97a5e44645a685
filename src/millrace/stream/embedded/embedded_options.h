#pragma once

#include "millrace/base/options.h"
#include "millrace/stream/embedded/embedded_transport.h"

namespace millrace {

/// storage.*: what a user may set of the embedded transport.
const OptionTable<EmbeddedTransport::Options>& EmbeddedOptionTable();

}  // namespace millrace
