#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/data/column_builder.h"
#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/row_report.h"

namespace millrace {

/// Turns groups of an aggregation into its output rows, one batch at a time. A group whose result
/// is out of range is withheld, with an error row in its place. Used by one thread.
class GroupOutput {
 public:
  /// `group_by` outlives it.
  explicit GroupOutput(const GroupBy& group_by);

  /// Adds a group's row with `weight`. A group without rows has none, unless it is the only group
  /// of its operator. Errors: kCorruption when the key is not one of this aggregation.
  Status Add(Micros bucket, std::string_view key, const std::byte* value, int32_t weight,
             RowReport& report);

  /// Adds what a change of a group's value, from `before` (null: it was not there) to `after`,
  /// means for its row, or for its error row: that one stays until the group is back in range.
  Status AddChange(Micros bucket, std::string_view key, const std::byte* before,
                   const std::byte* after, RowReport& report);

  size_t rows() const { return weights_.size(); }

  /// Returns the rows since the last call, without weights when all are +1 by contract
  /// (`append_only`); null when there is none.
  BatchPtr Finish(bool append_only);

 private:
  struct Group {
    Micros bucket;
    std::string_view key;
    const std::byte* value;
  };

  /// `error` is what the layout's Check says of the value.
  Status Put(const Group& group, const std::optional<Error>& error, int32_t weight,
             RowReport& report);
  Status Withhold(const Error& error, const Group& group, int32_t weight, RowReport& report) const;

  const GroupBy& group_by_;
  /// Without results (DISTINCT): the row of a group never changes while it is there.
  const bool columns_are_group_;
  std::vector<ColumnBuilder> builders_;
  std::vector<int32_t> weights_;
};

}  // namespace millrace
