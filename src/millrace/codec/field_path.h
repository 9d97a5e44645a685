#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace {

/// Where in a record a value stands: names of fields, from the outermost object inwards.
using FieldPath = std::vector<std::string>;

/// By column: where its value stands, if not in the field of the column's own name. With several
/// places a record has the value in at most one of them.
using FieldPaths = std::map<std::string, std::vector<FieldPath>, std::less<>>;

/// Reads `bid.price`, or `bid.at | auction.at` for several places. A name with a dot, a bar, a
/// space at an end or a quote stands in quotes: `a."b.c"`, with quotes doubled. Error:
/// kConfigInvalidValue.
Result<std::vector<FieldPath>> ParseFieldPaths(std::string_view text);

/// The path as it was written, without quotes.
std::string PathText(const FieldPath& path);

}  // namespace millrace
