#include "millrace/engine/aggregate/group_by.h"

#include <algorithm>
#include <numeric>

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
  // Closed when start + size + grace <= watermark.
  return watermark - window_->size - window_->grace + 1;
}

Status GroupBy::AppendRow(Micros bucket, std::string_view key, const std::byte* value,
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
  layout_.AppendResults(value, std::span(builders).subspan(group_columns_.size()));
  return {};
}

void PartialGroups::Add(const BatchPtr& batch, RowReport& report) {
  const std::vector<uint32_t> rows = OnTime(batch, report);
  report.counts.accepted += rows.size();
  EncodeKeys(*batch, rows);
  slots_.resize(rows.size());
  values_.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t begin = i == 0 ? 0 : key_ends_[i - 1];
    const auto key = std::string_view(key_bytes_).substr(begin, key_ends_[i] - begin);
    const uint64_t hash = HashEncoded(key.substr(sizeof(Micros)));
    Micros bucket = 0;
    std::memcpy(&bucket, key.data(), sizeof(bucket));
    constexpr uint64_t kMix = 0x9e3779b97f4a7c15;  // Golden ratio: spreads window starts.
    const auto inserted = table_.FindOrInsert(key, hash ^ (static_cast<uint64_t>(bucket) * kMix));
    slots_[i] = inserted.slot;
    if (inserted.is_new) {
      hashes_.push_back(hash);
    }
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    values_[i] = table_.Value(slots_[i]);
  }
  group_by_.layout().Update(*batch, rows, values_);
}

std::vector<uint32_t> PartialGroups::OnTime(const BatchPtr& batch, RowReport& report) const {
  std::vector<uint32_t> rows(batch->rows());
  std::iota(rows.begin(), rows.end(), 0);
  const auto watermarks = batch->watermarks_before();
  if (!group_by_.window() || watermarks.empty()) {
    return rows;
  }
  const WindowKey& window = *group_by_.window();
  const auto starts = batch->column(window.start_column).Values<Micros>();
  std::vector<uint32_t> late;
  std::erase_if(rows, [&](uint32_t row) {
    const bool is_late = starts[row] + window.size + window.grace <= watermarks[row];
    if (is_late) {
      late.push_back(row);
    }
    return is_late;
  });
  if (!late.empty()) {
    report.counts.late += late.size();
    report.AddLate(GatherRows(*batch, late));
  }
  return rows;
}

void PartialGroups::EncodeKeys(const Batch& batch, std::span<const uint32_t> rows) {
  key_bytes_.clear();
  key_ends_.clear();
  std::span<const Micros> starts;
  if (group_by_.window()) {
    starts = batch.column(group_by_.window()->start_column).Values<Micros>();
  }
  for (const uint32_t row : rows) {
    const Micros bucket = starts.empty() ? KeyedState::kOnlyBucket : starts[row];
    key_bytes_.append(reinterpret_cast<const char*>(&bucket), sizeof(bucket));
    for (const size_t column : group_by_.key_columns()) {
      AppendEncoded(batch.column(column), row, key_bytes_);
    }
    key_ends_.push_back(static_cast<uint32_t>(key_bytes_.size()));
  }
}

}  // namespace millrace
