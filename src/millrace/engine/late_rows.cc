#include "millrace/engine/late_rows.h"

#include <numeric>

namespace millrace {

void SelectOnTime(const BatchPtr& batch, const std::optional<WindowKey>& window, RowReport& report,
                  std::vector<uint32_t>& rows) {
  rows.resize(batch->rows());
  std::iota(rows.begin(), rows.end(), 0);
  const auto watermarks = batch->watermarks_before();
  if (!window || watermarks.empty()) {
    return;
  }
  const auto starts = batch->column(window->start_column).Values<Micros>();
  std::vector<uint32_t> late;
  std::erase_if(rows, [&](uint32_t row) {
    const bool is_late = starts[row] + window->open_for() <= watermarks[row];
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
