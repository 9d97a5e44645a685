#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/data/value.h"
#include "millrace/plan/query_definition.h"

namespace millrace {

/// The rows of a query's result in its order, between its OFFSET and LIMIT: keeps no more of those
/// that come than it needs. Rows that are equal in the order stay as they came. Used by one thread.
class QueryRows {
 public:
  /// `rows_max`: how many rows the result may have at most. `query` outlives it.
  QueryRows(const QueryDefinition& query, uint64_t rows_max);

  /// Takes rows, each as often as its weight, which is positive, says.
  void Add(const Batch& batch);

  /// No more rows can change the result.
  bool is_complete() const { return query_.order.empty() && wanted_ == rows_.size(); }
  size_t MemoryBytes() const { return bytes_; }

  struct Result {
    BatchPtr rows;              ///< Of the columns that are shown; may be empty.
    bool is_truncated = false;  ///< There were more than `rows_max`.
  };
  /// Gives up the rows.
  Result Take();

 private:
  struct Row {
    std::vector<Value> values;
    uint64_t number = 0;  ///< In order of their coming.
  };

  bool Before(const Row& a, const Row& b) const;
  void AddRow(Row row);
  static size_t BytesOf(const Row& row);

  const QueryDefinition& query_;
  const uint64_t rows_max_;
  uint64_t skip_ = 0;    ///< Of the first rows, without an order.
  uint64_t wanted_ = 0;  ///< Rows to keep.
  uint64_t next_number_ = 0;
  size_t bytes_ = 0;
  /// With an order a heap of the first ones, the last of them on top.
  std::vector<Row> rows_;
};

}  // namespace millrace
