#include "millrace/engine/aggregate/group_output.h"

#include <utility>

#include "millrace/codec/json_encoder.h"

namespace millrace {

GroupOutput::GroupOutput(const GroupBy& group_by) : group_by_(group_by) {
  for (const Field& field : group_by.output_schema()->fields()) {
    builders_.emplace_back(field.type);
  }
}

bool GroupOutput::IsThere(const std::byte* value) const {
  return AggregateLayout::RowCount(value) != 0 || group_by_.has_single_group();
}

Status GroupOutput::Add(Micros bucket, std::string_view key, const std::byte* value, int32_t weight,
                        RowReport& report) {
  if (!IsThere(value)) {
    return {};
  }
  if (const auto error = group_by_.layout().Check(value)) {
    return Withhold(*error, bucket, key, weight, report);
  }
  MR_TRY(group_by_.AppendRow(bucket, key, value, builders_));
  weights_.push_back(weight);
  return {};
}

Status GroupOutput::AddChange(Micros bucket, std::string_view key, const std::byte* before,
                              const std::byte* after, RowReport& report) {
  if (before != nullptr) {
    const auto was = group_by_.layout().Check(before);
    const auto is = group_by_.layout().Check(after);
    if (was && is && was->message() == is->message()) {
      return {};
    }
    MR_TRY(Add(bucket, key, before, -1, report));
  }
  return Add(bucket, key, after, 1, report);
}

Status GroupOutput::Withhold(const Error& error, Micros bucket, std::string_view key,
                             int32_t weight, RowReport& report) const {
  const auto& fields = group_by_.output_schema()->fields();
  const auto columns = static_cast<ptrdiff_t>(group_by_.group_columns());
  const auto schema = MakeSchema({fields.begin(), fields.begin() + columns});
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema->fields()) {
    builders.emplace_back(field.type);
  }
  MR_TRY(group_by_.AppendGroup(bucket, key, builders));
  std::vector<Column> values;
  values.reserve(builders.size());
  for (ColumnBuilder& builder : builders) {
    values.push_back(builder.Finish());
  }
  std::string group;
  AppendRowJson(*Batch::Make(schema, std::move(values), 1), 0, group);
  report.AddGroupError(error, weight, std::move(group));
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
