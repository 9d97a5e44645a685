#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/engine/aggregate/aggregate_layout.h"
#include "millrace/engine/row_report.h"
#include "millrace/plan/plan_node.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// What both phases of an aggregation share. Immutable and thread-safe.
///
/// A group's key is the encoded group columns other than the window's start and end; the window's
/// start is its bucket (KeyedState::kOnlyBucket without a window).
class GroupBy {
 public:
  /// `node` is an aggregate node. Errors as AggregateLayout::Make.
  static Result<GroupBy> Make(const PlanNode& node);

  const AggregateLayout& layout() const { return layout_; }
  const std::optional<WindowKey>& window() const { return window_; }
  const std::vector<size_t>& key_columns() const { return key_columns_; }
  /// Without group columns there is one group from the start, even before the first row.
  bool has_single_group() const { return group_columns_.empty(); }

  /// First bucket that is still open at a watermark; kMicrosMin when all are.
  Micros FirstOpenBucket(Micros watermark) const;

  const SchemaPtr& output_schema() const { return output_schema_; }

  size_t group_columns() const { return group_columns_.size(); }

  /// Appends a group's columns.
  Status AppendGroup(Micros bucket, std::string_view key,
                     std::vector<ColumnBuilder>& builders) const;

  /// Appends a group's output row: group columns, then results. The value must pass the layout's
  /// Check.
  Status AppendRow(Micros bucket, std::string_view key, const std::byte* value,
                   std::vector<ColumnBuilder>& builders) const;

 private:
  std::vector<size_t> group_columns_;
  std::vector<size_t> key_columns_;
  std::optional<WindowKey> window_;
  AggregateLayout layout_;
  SchemaPtr output_schema_;
};

}  // namespace millrace
