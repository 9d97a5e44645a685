#pragma once

#include <cstdint>

#include "millrace/base/ids.h"
#include "millrace/connect/datagen/datagen_options.h"

namespace millrace {

/// The event times of rows. Immutable.
class RowTimes {
 public:
  /// `start`: of the first row.
  RowTimes(const DatagenOptions& options, Micros start);

  Micros At(uint64_t row) const;
  /// No row from `row` on is before it.
  Micros EarliestFrom(uint64_t row) const { return InOrder(row) - late_max_; }

 private:
  Micros InOrder(uint64_t row) const;

  Micros start_;
  uint64_t step_micros_ = 1000;  ///< Per step_rows_.
  uint64_t step_rows_ = 1;
  double late_share_;
  Micros late_max_;
  uint64_t seed_;
};

}  // namespace millrace
