#pragma once

#include <cstdint>

#include "millrace/base/options.h"

namespace millrace {

/// The section `query`: what SQL queries of clients may take.
struct QueryOptions {
  Duration time_max = std::chrono::seconds(30);
  uint64_t rows_max = 100'000;
  uint64_t memory_bytes = 256 << 20;  ///< Of one query: its state and its result.
  int running_max = 2;
  int waiting_max = 16;
  uint64_t text_bytes_max = 65'536;
};

const OptionTable<QueryOptions>& QueryOptionTable();

}  // namespace millrace
