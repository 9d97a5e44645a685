#pragma once

#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"
#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/row_report.h"

namespace millrace {

/// Turns groups of an aggregation into its output rows, one batch at a time. Used by one thread.
class GroupOutput {
 public:
  /// `group_by` outlives it.
  explicit GroupOutput(const GroupBy& group_by);

  /// Adds a group's row with `weight`. A group without rows has none, unless it is the only group
  /// of its operator; one whose results are out of range is withheld and goes to `report`.
  Status Add(Micros bucket, std::string_view key, const std::byte* value, int32_t weight,
             RowReport& report);

  size_t rows() const { return weights_.size(); }

  /// Returns the rows since the last call, without weights when all are +1 by contract
  /// (`append_only`); null when there is none.
  BatchPtr Finish(bool append_only);

 private:
  const GroupBy& group_by_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int32_t> weights_;
};

}  // namespace millrace
