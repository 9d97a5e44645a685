#include "millrace/engine/aggregate/group_output.h"

#include <utility>

#include <fmt/format.h>

namespace millrace {

GroupOutput::GroupOutput(const GroupBy& group_by) : group_by_(group_by) {
  for (const Field& field : group_by.output_schema()->fields()) {
    builders_.emplace_back(field.type);
  }
}

Status GroupOutput::Add(Micros bucket, std::string_view key, const std::byte* value, int32_t weight,
                        RowReport& report) {
  if (AggregateLayout::RowCount(value) == 0 && !group_by_.has_single_group()) {
    return {};
  }
  if (const auto error = group_by_.layout().Check(value)) {
    report.AddGroupError(*error, weight, fmt::format("group of {} bytes", key.size()));
    return {};
  }
  MR_TRY(group_by_.AppendRow(bucket, key, value, builders_));
  weights_.push_back(weight);
  return {};
}

BatchPtr GroupOutput::Finish(bool append_only) {
  const size_t rows = weights_.size();
  if (rows == 0) {
    return nullptr;
  }
  std::vector<Column> columns;
  for (ColumnBuilder& builder : builders_) {
    columns.push_back(builder.Finish());
  }
  std::vector<int32_t> weights = std::exchange(weights_, {});
  return Batch::Make(group_by_.output_schema(), std::move(columns), rows,
                     {.weights = append_only ? nullptr : Buffer::Own(std::move(weights)),
                      .watermarks_before = nullptr,
                      .offsets = nullptr});
}

}  // namespace millrace
