#include "millrace/engine/rows_operator.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "millrace/engine/row_output.h"

namespace millrace {

namespace {

int64_t CountOf(const std::byte* value) {
  return value == nullptr ? 0 : *reinterpret_cast<const int64_t*>(value);
}

/// One row as often as `count` says; more often than a weight can say takes several.
Status AddTimes(std::string_view row, std::span<const size_t> columns, int64_t count,
                RowOutput& output) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  while (count != 0) {
    const int64_t weight = std::clamp(count, -kMax, kMax);
    MR_TRY(output.AddPiece(row, columns));
    output.EndRow(static_cast<int32_t>(weight));
    count -= weight;
  }
  return {};
}

}  // namespace

RowsOperator::RowsOperator(SchemaPtr schema) : schema_(std::move(schema)) {
  shape_.key.resize(schema_->size());
  std::iota(shape_.key.begin(), shape_.key.end(), size_t{0});
}

std::unique_ptr<ExchangeBuffer> RowsOperator::MakeBuffer(size_t) const {
  return std::make_unique<KeyedRows>(shape_);
}

Status RowsOperator::Run(const Task& task, RowReport&, OperatorOutput& output) const {
  KeyedState& state = *task.tables[0];
  for (const ExchangeBuffer* buffer : task.inputs[0]) {
    static_cast<const KeyedRows*>(buffer)->VisitPartition(
        task.partition, [&](const KeyedRows::Row& row) {
          std::byte* const value = state.Touch(KeyedState::kOnlyBucket, row.key(), row.key_hash);
          *reinterpret_cast<int64_t*>(value) += row.weight;
        });
  }
  RowOutput rows(schema_, output.rows);
  MR_TRY(state.VisitChanges(
      [&](Micros, std::string_view row, const std::byte* before, const std::byte* after) {
        return AddTimes(row, shape_.key, CountOf(after) - CountOf(before), rows);
      }));
  rows.Finish();
  return {};
}

Status RowsOperator::VisitRows(std::span<KeyedState* const> tables, size_t batch_rows_max,
                               const RowVisitor& visit) const {
  std::vector<BatchPtr> batches;
  RowOutput rows(schema_, batches);
  const auto put_out = [&] {
    rows.Finish();
    for (const BatchPtr& batch : batches) {
      visit(batch);
    }
    batches.clear();
  };
  MR_TRY(tables[0]->Visit(kMicrosMin, kMicrosMax,
                          [&](Micros, std::string_view row, const std::byte* value) -> Status {
                            MR_TRY(AddTimes(row, shape_.key, CountOf(value), rows));
                            if (rows.rows() >= batch_rows_max) {
                              put_out();
                            }
                            return {};
                          }));
  put_out();
  return {};
}

}  // namespace millrace
