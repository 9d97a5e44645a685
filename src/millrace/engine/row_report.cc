#include "millrace/engine/row_report.h"

#include <utility>

#include <fmt/format.h>

#include "millrace/data/text_format.h"

namespace millrace {

void RowReport::SetSource(uint32_t partition, BatchPtr rows, Offset begin) {
  partition_ = partition;
  source_ = std::move(rows);
  source_begin_ = begin;
}

ErrorRow RowReport::Report(const Batch& batch, uint32_t row, std::string_view operator_name) {
  ErrorRow report{.time = now_, .operator_name = operator_name, .weight = batch.Weight(row)};
  if (source_ == nullptr || batch.offsets().empty()) {
    AppendRowJson(batch, row, report.record);
    return report;
  }
  if (!source_writer_) {
    source_writer_.emplace(source_->schema());
  }
  const int64_t offset = batch.offsets()[row];
  report.partition = partition_;
  report.offset = offset;
  source_writer_->Append(*source_, static_cast<size_t>(Offset(offset) - source_begin_),
                         report.record);
  return report;
}

BatchPtr RowReport::Failed(const BatchPtr& batch, std::string_view operator_name,
                           RowErrors& errors) {
  const std::vector<RowError> failed = errors.Take();
  if (failed.empty()) {
    return batch;
  }
  std::vector<uint32_t> kept;
  size_t next_failed = 0;
  for (uint32_t row = 0; row < batch->rows(); ++row) {
    if (next_failed == failed.size() || failed[next_failed].row != row) {
      kept.push_back(row);
      continue;
    }
    const RowError& error = failed[next_failed++];
    ErrorRow& report = errors_.emplace_back(Report(*batch, row, operator_name));
    report.code = error.code;
    report.message = error.message;
  }
  counts.failed += failed.size();
  return kept.empty() ? nullptr : GatherRows(*batch, kept);
}

void RowReport::AddGroupError(const Error& error, int32_t weight, std::string group) {
  errors_.push_back({.time = now_,
                     .code = error.code(),
                     .message = error.message(),
                     .operator_name = "aggregate",
                     .partition = std::nullopt,
                     .offset = std::nullopt,
                     .weight = weight,
                     .record = std::move(group)});
}

void RowReport::AddLate(const Batch& batch, std::span<const uint32_t> rows,
                        const WindowKey& window) {
  const auto starts = batch.column(window.start_column).Values<Micros>();
  for (const uint32_t row : rows) {
    ErrorRow& report = late_.emplace_back(Report(batch, row, "window"));
    report.code = ErrorCode::kLateRow;
    // A join within an interval has no window, and a row's own time is what counts.
    const bool is_window = window.size > 1;
    const auto watermarks = batch.watermarks_before();
    const bool by_its_own =
        !watermarks.empty() && starts[row] + window.open_for() <= watermarks[row];
    report.message = fmt::format("{}: {} {}, {}", Describe(ErrorCode::kLateRow).meaning,
                                 is_window ? "window end" : "time",
                                 FormatTimestamptz(starts[row] + (is_window ? window.size : 0)),
                                 by_its_own ? "watermark " + FormatTimestamptz(watermarks[row])
                                            : "closed by other inputs while its own was idle");
  }
  counts.late += rows.size();
}

}  // namespace millrace
