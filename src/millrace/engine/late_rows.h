#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/engine/row_report.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// Sets `rows` to the rows of `batch` that are not late for `window`, by the watermark of their own
/// source partition before them (design section 6, "Time"); the others go to `report`. Without a
/// window, and where rows carry no watermarks, none is late.
void SelectOnTime(const BatchPtr& batch, const std::optional<WindowKey>& window, RowReport& report,
                  std::vector<uint32_t>& rows);

}  // namespace millrace
