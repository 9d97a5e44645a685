#include "millrace/engine/row_report.h"

#include "millrace/data/text_format.h"
#include "millrace/data/value.h"

namespace millrace {

namespace {

std::string RowText(const Batch& batch, size_t row) {
  std::string text;
  for (size_t i = 0; i < batch.schema().size(); ++i) {
    const Field& field = batch.schema().field(i);
    if (i > 0) {
      text += ", ";
    }
    text += field.name;
    text += "=";
    text += FormatValue(ValueAt(batch.column(i), row), field.type);
  }
  return text;
}

}  // namespace

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
    const auto offsets = batch->offsets();
    errors_.push_back({.time = now_,
                       .code = error.code,
                       .message = error.message,
                       .operator_name = operator_name,
                       .partition = partition_,
                       .offset = offsets.empty() ? std::nullopt : std::optional(offsets[row]),
                       .weight = batch->Weight(row),
                       .record = RowText(*batch, row)});
  }
  counts.failed += failed.size();
  return kept.empty() ? nullptr : GatherRows(*batch, kept);
}

}  // namespace millrace
