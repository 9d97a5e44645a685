#include "millrace/engine/upsert_operator.h"

#include <algorithm>
#include <cstddef>

#include "millrace/engine/row_output.h"

namespace millrace {

namespace {

struct Latest {
  int64_t is_there = 0;
  TextRef rest;  // The columns besides the key, encoded.
};

const Latest* LatestOf(const std::byte* value) {
  const auto* latest = reinterpret_cast<const Latest*>(value);
  return latest != nullptr && latest->is_there != 0 ? latest : nullptr;
}

}  // namespace

UpsertOperator::UpsertOperator(const PlanNode& node) : schema_(node.schema) {
  shape_.flag = node.upsert.delete_flag;
  size_t place = 0;
  for (size_t column = 0; column < node.inputs[0]->schema->size(); ++column) {
    if (column == node.upsert.delete_flag) {
      continue;
    }
    const bool is_key = std::ranges::find(node.upsert.key, column) != node.upsert.key.end();
    (is_key ? shape_.key : shape_.rest).push_back(column);
    (is_key ? key_columns_ : rest_columns_).push_back(place++);
  }
}

std::vector<ValueShape> UpsertOperator::tables() const {
  return {{.bytes = sizeof(Latest), .texts = {offsetof(Latest, rest)}}};
}

std::unique_ptr<ExchangeBuffer> UpsertOperator::MakeBuffer(size_t) const {
  return std::make_unique<KeyedRows>(shape_);
}

Status UpsertOperator::Run(const Task& task, RowReport&, OperatorOutput& output) const {
  KeyedState& state = *task.tables[0];
  for (const ExchangeBuffer* buffer : task.inputs[0]) {
    static_cast<const KeyedRows*>(buffer)->VisitPartition(
        task.partition, [&](const KeyedRows::Row& row) {
          auto& latest = *reinterpret_cast<Latest*>(
              state.Touch(KeyedState::kOnlyBucket, row.key(), row.key_hash));
          latest.is_there = row.flag ? 0 : 1;
          latest.rest = row.flag ? TextRef() : state.touched_texts().Copy(row.rest());
        });
  }
  RowOutput rows(schema_, output.rows);
  const auto add = [&](std::string_view key, const Latest& latest, int32_t weight) -> Status {
    MR_TRY(rows.AddPiece(key, key_columns_));
    MR_TRY(rows.AddPiece(latest.rest.view(), rest_columns_));
    rows.EndRow(weight);
    return {};
  };
  MR_TRY(state.VisitChanges(
      [&](Micros, std::string_view key, const std::byte* before, const std::byte* after) -> Status {
        const Latest* const was = LatestOf(before);
        const Latest* const is = LatestOf(after);
        if (was != nullptr && is != nullptr && was->rest.view() == is->rest.view()) {
          return {};
        }
        if (was != nullptr) {
          MR_TRY(add(key, *was, -1));
        }
        return is == nullptr ? Status() : add(key, *is, 1);
      }));
  rows.Finish();
  return {};
}

Status UpsertOperator::VisitRows(std::span<KeyedState* const> tables, size_t batch_rows_max,
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
                          [&](Micros, std::string_view key, const std::byte* value) -> Status {
                            if (const Latest* const latest = LatestOf(value)) {
                              MR_TRY(rows.AddPiece(key, key_columns_));
                              MR_TRY(rows.AddPiece(latest->rest.view(), rest_columns_));
                              rows.EndRow(1);
                            }
                            if (rows.rows() >= batch_rows_max) {
                              put_out();
                            }
                            return {};
                          }));
  put_out();
  return {};
}

}  // namespace millrace
