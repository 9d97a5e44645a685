#include "millrace/engine/join/join_operator.h"

#include <algorithm>
#include <utility>

#include "millrace/engine/join/join_task.h"

namespace millrace {

namespace {

/// Buckets of an interval join span as much time as the interval, so that a row looks into two or
/// three; but not so little that there is one for each row.
constexpr Micros kSliceMin = 1'000'000;

}  // namespace

JoinOperator::JoinOperator(const PlanNode& node)
    : schema_(node.schema), join_(node.join), is_left_join_(node.join.kind == JoinKind::kLeft) {
  sides_.push_back(MakeJoinSide(node, kLeftPort));
  sides_.push_back(MakeJoinSide(node, kRightPort));
  if (join_.interval) {
    slice_ = std::max(join_.interval->highest - join_.interval->lowest, kSliceMin);
    sides_[kRightPort].shape.partners_from = join_.interval->lowest;
  }
  if (join_.condition != nullptr) {
    condition_.emplace(join_.condition);
  }
}

std::vector<ValueShape> JoinOperator::tables() const {
  const size_t left_bytes = is_left_join_ ? sizeof(JoinTask::LeftValue) : sizeof(int64_t);
  return {{.bytes = left_bytes, .is_chained = true},
          {.bytes = sizeof(int64_t), .is_chained = true}};
}

std::unique_ptr<ExchangeBuffer> JoinOperator::MakeBuffer(size_t port) const {
  return std::make_unique<KeyedRows>(sides_[port].shape);
}

JoinTask::Span JoinOperator::PartnersOf(size_t port, Micros time) const {
  if (!join_.interval) {
    return {.from = time, .to = time + 1};
  }
  // left - right lies in [lowest, highest].
  const Micros lowest =
      port == kLeftPort ? time - join_.interval->highest : time + join_.interval->lowest;
  const Micros highest =
      port == kLeftPort ? time - join_.interval->lowest : time + join_.interval->highest;
  return {.from = SliceOf(lowest, slice_), .to = SliceOf(highest, slice_) + 1};
}

Micros JoinOperator::BucketOf(Micros time) const {
  return join_.interval ? SliceOf(time, slice_) : time;
}

Status JoinOperator::Run(const Task& task, RowReport& report, OperatorOutput& output) const {
  JoinTask join(
      {.tables = task.tables,
       .schema = schema_,
       .left = {.key = sides_[kLeftPort].key_columns, .rest = sides_[kLeftPort].rest_columns},
       .right = {.key = sides_[kRightPort].key_columns, .rest = sides_[kRightPort].rest_columns},
       .is_left_join = is_left_join_,
       .condition = condition_ ? &*condition_ : nullptr,
       .check = task.check},
      report, output.rows);
  // The right side first: what has come on both in one epoch needs no row without partner.
  for (const size_t port : {kRightPort, kLeftPort}) {
    for (const ExchangeBuffer* buffer : task.inputs[port]) {
      static_cast<const KeyedRows*>(buffer)->VisitPartition(
          task.partition, [&](const KeyedRows::Row& row) {
            const JoinTask::Span partners = PartnersOf(port, row.time);
            if (port == kLeftPort) {
              join.AddLeft(row, BucketOf(row.time), partners);
            } else {
              join.AddRight(row, BucketOf(row.time), partners);
            }
          });
    }
  }
  MR_TRY(join.Finish());
  Forget(task);
  return {};
}

void JoinOperator::Forget(const Task& task) const {
  if (!join_.left_time || task.first_open == kMicrosMin) {
    return;
  }
  Micros left = task.first_open;
  Micros right = task.first_open;
  if (join_.interval && task.first_open != kMicrosMax) {
    left = SliceOf(task.first_open, slice_);
    right = SliceOf(task.first_open - join_.interval->highest, slice_);
  }
  task.tables[kLeftPort]->DropBuckets(left);
  task.tables[kRightPort]->DropBuckets(right);
}

Micros JoinOperator::FirstOpen(size_t port, Micros watermark) const {
  if (!join_.left_time) {
    return kMicrosMin;
  }
  if (watermark == kMicrosMin || watermark == kMicrosMax) {
    return watermark;
  }
  const WindowKey& time = port == kLeftPort ? *join_.left_time : *join_.right_time;
  const Micros open = watermark - time.open_for() + 1;
  // An interval join's rows have the time of the left side: a right row finds none below this.
  return join_.interval && port == kRightPort ? open + join_.interval->lowest : open;
}

}  // namespace millrace
