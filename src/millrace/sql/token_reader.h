#pragma once

#include <string_view>
#include <vector>

#include "millrace/sql/script.h"

namespace millrace::internal {

/// Reads the tokens of a pg_query_scan result: the protobuf message ScanResult of pg_query.proto.
/// Only what is needed of the wire format (protobuf.dev/programming-guides/encoding); comments are
/// left out. Stops at bytes that do not fit.
std::vector<Token> ReadTokens(std::string_view message);

}  // namespace millrace::internal
