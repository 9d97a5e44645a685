#include "millrace/engine/aggregate/aggregate_operator.h"

#include <utility>

#include "millrace/engine/aggregate/group_output.h"
#include "millrace/engine/aggregate/partial_groups.h"

namespace millrace {

Result<std::unique_ptr<AggregateOperator>> AggregateOperator::Make(const PlanNode& node) {
  MR_ASSIGN(auto group_by, GroupBy::Make(node));
  return std::unique_ptr<AggregateOperator>(
      new AggregateOperator(std::move(group_by), node.aggregate.emit_final));
}

std::vector<ValueShape> AggregateOperator::tables() const {
  ValueShape shape = group_by_.layout().shape();
  shape.keeps_empty = group_by_.has_single_group();
  std::vector<ValueShape> shapes{std::move(shape)};
  shapes.resize(1 + group_by_.layout().set_calls().size(),
                {.bytes = sizeof(int64_t), .is_chained = true});
  return shapes;
}

std::unique_ptr<ExchangeBuffer> AggregateOperator::MakeBuffer(size_t) const {
  return std::make_unique<PartialGroups>(group_by_);
}

void AggregateOperator::MergePartials(const Task& task) const {
  KeyedState& state = *task.tables[0];
  const AggregateLayout& layout = group_by_.layout();
  for (const ExchangeBuffer* buffer : task.inputs[0]) {
    static_cast<const PartialGroups*>(buffer)->VisitPartition(
        task.partition, state,
        [&](Micros bucket, std::string_view key, uint64_t hash, const std::byte* value) {
          std::byte* const merged = state.Touch(bucket, key, hash);
          layout.Merge(merged, value, state.touched_texts());
        });
  }
  const uint64_t empty_hash = HashEncoded({});
  if (starts_by_itself() && task.is_first_epoch &&
      PartitionOfHash(empty_hash, task.partitions) == task.partition) {
    state.Touch(KeyedState::kOnlyBucket, {}, empty_hash);
  }
}

Status AggregateOperator::UpdateValueSets(const Task& task) const {
  const std::vector<size_t>& calls = group_by_.layout().set_calls();
  for (size_t set = 0; set < calls.size(); ++set) {
    ValueSetUpdate update(group_by_.layout(), calls[set], *task.tables[0], *task.tables[1 + set]);
    for (const ExchangeBuffer* buffer : task.inputs[0]) {
      static_cast<const PartialGroups*>(buffer)->value_sets()[set].VisitPartition(
          task.partition, [&](Micros bucket, std::string_view entry, uint64_t hash,
                              int64_t weight) { update.Add(bucket, entry, hash, weight); });
    }
    MR_TRY(update.Finish());
  }
  return {};
}

Status AggregateOperator::Run(const Task& task, RowReport& report, OperatorOutput& output) const {
  MergePartials(task);
  MR_TRY(UpdateValueSets(task));
  KeyedState& state = *task.tables[0];
  const Micros first_open = task.first_open;
  if (is_final_) {
    MR_TRY(PutOutClosed(state, first_open, report, output.rows));
  } else {
    GroupOutput changes(group_by_);
    MR_TRY(state.VisitChanges(
        [&](Micros bucket, std::string_view key, const std::byte* before, const std::byte* after) {
          return changes.AddChange(bucket, key, before, after, report);
        }));
    if (BatchPtr rows = changes.Finish(false)) {
      output.rows.push_back(std::move(rows));
    }
    if (task.wants_closed) {
      RowReport ignored(0);
      MR_TRY(PutOutClosed(state, first_open, ignored, output.closed));
    }
  }
  for (KeyedState* const table : task.tables) {
    table->DropBuckets(first_open);
  }
  return {};
}

Status AggregateOperator::PutOutClosed(const KeyedState& state, Micros first_open,
                                       RowReport& report, std::vector<BatchPtr>& output) const {
  GroupOutput closed(group_by_);
  MR_TRY(state.Visit(kMicrosMin, first_open,
                     [&](Micros bucket, std::string_view key, const std::byte* value) {
                       return closed.Add(bucket, key, value, 1, report);
                     }));
  if (BatchPtr rows = closed.Finish(true)) {
    output.push_back(std::move(rows));
  }
  return {};
}

Status AggregateOperator::VisitRows(std::span<KeyedState* const> tables, size_t batch_rows_max,
                                    const RowVisitor& visit) const {
  GroupOutput output(group_by_);
  RowReport ignored(0);
  const auto put_out = [&] {
    if (const BatchPtr rows = output.Finish(true)) {
      visit(rows);
    }
  };
  MR_TRY(
      tables[0]->Visit(kMicrosMin, kMicrosMax,
                       [&](Micros bucket, std::string_view key, const std::byte* value) -> Status {
                         MR_TRY(output.Add(bucket, key, value, 1, ignored));
                         if (output.rows() == batch_rows_max) {
                           put_out();
                         }
                         return {};
                       }));
  put_out();
  return {};
}

}  // namespace millrace
