#pragma once

#include <cstddef>
#include <cstdint>

#include "millrace/base/ids.h"
#include "millrace/data/batch.h"

namespace millrace {

/// Makes the rows of a table from nothing but their numbers. A number always gives the same row,
/// whatever was made before, so that a row number is a position. Implementations: DatagenRows,
/// NexmarkRows. One thread at a time.
class RowGenerator {
 public:
  RowGenerator() = default;
  RowGenerator(const RowGenerator&) = delete;
  RowGenerator& operator=(const RowGenerator&) = delete;
  virtual ~RowGenerator() = default;

  /// Makes the `count` rows from number `first` on, of the table's declared columns.
  virtual BatchPtr Make(uint64_t first, size_t count) = 0;

  /// An event time that no row from number `first` on is before; kMicrosMin when that is not known.
  virtual Micros EarliestFrom(uint64_t first) const = 0;
};

}  // namespace millrace
