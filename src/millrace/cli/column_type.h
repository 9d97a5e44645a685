#pragma once

#include <string_view>

#include "millrace/data/types.h"

namespace millrace {

/// The type by which to read a column's values from JSON and write them again unchanged: numeric
/// and timestamptz as the server names them, anything else as the JSON that it is.
DataType JsonColumnType(std::string_view type);

}  // namespace millrace
