#include "millrace/connect/datagen/row_times.h"

#include <algorithm>
#include <string_view>

#include "millrace/base/checksum.h"
#include "millrace/base/int128.h"
#include "millrace/connect/generate/draws.h"
#include "millrace/data/types.h"

namespace millrace {

namespace {

/// What the draws of a row's time are for.
enum TimeUse : uint64_t { kDrawIsLate = 0, kDrawLateness = 1 };

}  // namespace

RowTimes::RowTimes(const DatagenOptions& options, Micros start)
    : start_(start),
      late_share_(options.out_of_order_share),
      late_max_(options.out_of_order_share > 0 ? options.out_of_order_max.count() : 0),
      seed_(MixBits(MixSeed(options.seed) ^ Xxh3(std::string_view("event time")))) {
  if (options.time_step) {
    step_micros_ = static_cast<uint64_t>(options.time_step->count());
  } else if (options.rate > 0) {
    step_micros_ = kMicrosPerSecond;
    step_rows_ = options.rate;
  }
}

/// Rows behind the end of time stay there.
Micros RowTimes::InOrder(uint64_t row) const {
  const Uint128 offset = Uint128{row} * step_micros_ / step_rows_;
  const auto left = static_cast<Uint128>(kTimestampMax - start_);
  return offset > left ? kTimestampMax : start_ + static_cast<Micros>(offset);
}

Micros RowTimes::At(uint64_t row) const {
  const Micros in_order = InOrder(row);
  if (late_share_ <= 0) {
    return in_order;
  }
  const Draws draws(seed_, row);
  if (draws.Unit(kDrawIsLate) >= late_share_) {
    return in_order;
  }
  return std::max(in_order - draws.Below(kDrawLateness, late_max_ + 1), kTimestampMin);
}

}  // namespace millrace
