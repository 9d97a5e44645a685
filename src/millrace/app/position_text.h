#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/ids.h"
#include "millrace/base/result.h"

namespace millrace {

/// A position in a stream as clients see it: the next offset of each partition, "12.0.7.3".
std::string FormatPosition(std::span<const Offset> offsets);

/// kHttpBadRequest unless `text` has `partitions` offsets.
Result<std::vector<Offset>> ParsePosition(std::string_view text, size_t partitions);

}  // namespace millrace
