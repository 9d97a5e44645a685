#include "millrace/engine/aggregate/group_output.h"

#include <utility>

#include "millrace/codec/json_encoder.h"

namespace millrace {

GroupOutput::GroupOutput(const GroupBy& group_by)
    : group_by_(group_by),
      columns_are_group_(group_by.output_schema()->size() == group_by.group_columns()) {
  for (const Field& field : group_by.output_schema()->fields()) {
    builders_.emplace_back(field.type);
  }
}

Status GroupOutput::Add(Micros bucket, std::string_view key, const std::byte* value, int32_t weight,
                        RowReport& report) {
  return Put({bucket, key, value}, group_by_.layout().Check(value), weight, report);
}

Status GroupOutput::AddChange(Micros bucket, std::string_view key, const std::byte* before,
                              const std::byte* after, RowReport& report) {
  if (before != nullptr && columns_are_group_ &&
      (AggregateLayout::RowCount(before) == 0) == (AggregateLayout::RowCount(after) == 0)) {
    return {};
  }
  const auto is = group_by_.layout().Check(after);
  if (before != nullptr) {
    const auto was = group_by_.layout().Check(before);
    if (was && is && was->message() == is->message()) {
      return {};
    }
    MR_TRY(Put({bucket, key, before}, was, -1, report));
  }
  return Put({bucket, key, after}, is, 1, report);
}

Status GroupOutput::Put(const Group& group, const std::optional<Error>& error, int32_t weight,
                        RowReport& report) {
  if (AggregateLayout::RowCount(group.value) == 0 && !group_by_.has_single_group()) {
    return {};
  }
  if (error) {
    return Withhold(*error, group, weight, report);
  }
  MR_TRY(group_by_.AppendRow(group.bucket, group.key, group.value, builders_));
  weights_.push_back(weight);
  return {};
}

Status GroupOutput::Withhold(const Error& error, const Group& group, int32_t weight,
                             RowReport& report) const {
  const auto& fields = group_by_.output_schema()->fields();
  const auto columns = static_cast<ptrdiff_t>(group_by_.group_columns());
  const auto schema = MakeSchema({fields.begin(), fields.begin() + columns});
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema->fields()) {
    builders.emplace_back(field.type);
  }
  MR_TRY(group_by_.AppendGroup(group.bucket, group.key, builders));
  std::vector<Column> values;
  values.reserve(builders.size());
  for (ColumnBuilder& builder : builders) {
    values.push_back(builder.Finish());
  }
  std::string row;
  AppendRowJson(*Batch::Make(schema, std::move(values), 1), 0, row);
  report.AddGroupError(error, weight, std::move(row));
  return {};
}

BatchPtr GroupOutput::Finish(bool append_only) {
  const size_t rows = weights_.size();
  if (rows == 0) {
    return nullptr;
  }
  std::vector<Column> columns;
  columns.reserve(builders_.size());
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
