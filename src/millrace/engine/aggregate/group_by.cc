#include "millrace/engine/aggregate/group_by.h"

#include "millrace/data/row_encoding.h"

namespace millrace {

Result<GroupBy> GroupBy::Make(const PlanNode& node) {
  const PlanNode& input = *node.inputs.front();
  GroupBy group_by;
  group_by.group_columns_ = node.aggregate.group_columns;
  group_by.window_ = node.aggregate.window;
  group_by.output_schema_ = node.schema;
  for (const size_t column : node.aggregate.group_columns) {
    const auto& window = group_by.window_;
    if (!window || (column != window->start_column && column != window->end_column)) {
      group_by.key_columns_.push_back(column);
    }
  }
  MR_ASSIGN(group_by.layout_, AggregateLayout::Make(node.aggregate.calls, *input.schema,
                                                    input.properties.append_only));
  return group_by;
}

Micros GroupBy::FirstOpenBucket(Micros watermark) const {
  if (!window_ || watermark == kMicrosMin) {
    return kMicrosMin;
  }
  if (watermark == kMicrosMax) {
    return kMicrosMax;
  }
  return watermark - window_->open_for() + 1;
}

Status GroupBy::AppendGroup(Micros bucket, std::string_view key,
                            std::vector<ColumnBuilder>& builders) const {
  for (size_t i = 0; i < group_columns_.size(); ++i) {
    if (window_ && group_columns_[i] == window_->start_column) {
      builders[i].AppendFixed(bucket);
    } else if (window_ && group_columns_[i] == window_->end_column) {
      builders[i].AppendFixed(bucket + window_->size);
    } else {
      MR_TRY(DecodeInto(&key, builders[i]));
    }
  }
  return {};
}

Status GroupBy::AppendRow(Micros bucket, std::string_view key, const std::byte* value,
                          std::vector<ColumnBuilder>& builders) const {
  MR_TRY(AppendGroup(bucket, key, builders));
  layout_.AppendResults(value, std::span(builders).subspan(group_columns_.size()));
  return {};
}

}  // namespace millrace
