#pragma once

#include <cstdint>
#include <string>

#include "millrace/base/ids.h"
#include "millrace/base/options.h"

namespace millrace {

/// The WITH options of a table with connector = 'nexmark'.
struct NexmarkOptions {
  uint64_t events = 0;           ///< 0 = endless.
  uint64_t event_rate = 10'000;  ///< Per second of event time.
  std::string base_time = "2015-07-15T00:00:00Z";
  uint64_t out_of_order_group = 1;
  uint64_t seed = 1;
  bool shifted_bidders = false;
  uint64_t throughput = 0;  ///< Per second of wall clock; 0 = as fast as possible.

  /// Of an option table's struct that was read without errors.
  Micros base_micros() const;
};
const OptionTable<NexmarkOptions>& NexmarkOptionTable();

}  // namespace millrace
