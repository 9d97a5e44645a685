#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/engine/row_report.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// Sets `rows` to the rows of `batch` that are not late for `window`; the others go to `report`.
/// Late is a row by the watermark of its own source partition before it (design section 6, "Time"),
/// if it carries one, and when its window begins before `first_open`: other inputs have closed that
/// while its own was idle. Without a window none is late, and no row without a time.
void SelectOnTime(const BatchPtr& batch, const std::optional<WindowKey>& window, Micros first_open,
                  RowReport& report, std::vector<uint32_t>& rows);

}  // namespace millrace
