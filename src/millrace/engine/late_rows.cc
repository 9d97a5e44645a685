#include "millrace/engine/late_rows.h"

#include <algorithm>
#include <numeric>

namespace millrace {

void SelectOnTime(const BatchPtr& batch, const std::optional<WindowKey>& window, Micros first_open,
                  RowReport& report, std::vector<uint32_t>& rows) {
  rows.resize(batch->rows());
  std::iota(rows.begin(), rows.end(), 0);
  const auto watermarks = batch->watermarks_before();
  if (!window || rows.empty() || (watermarks.empty() && first_open == kMicrosMin)) {
    return;
  }
  const Column& times = batch->column(window->start_column);
  const auto starts = times.Values<Micros>();
  if (watermarks.empty() && std::ranges::min(starts) >= first_open) {
    return;
  }
  std::vector<uint32_t> late;
  std::erase_if(rows, [&](uint32_t row) {
    const bool is_late =
        !times.IsNull(row) &&
        (starts[row] < first_open ||
         (!watermarks.empty() && starts[row] + window->open_for() <= watermarks[row]));
    if (is_late) {
      late.push_back(row);
    }
    return is_late;
  });
  if (!late.empty()) {
    report.AddLate(*batch, late, *window);
  }
}

}  // namespace millrace
