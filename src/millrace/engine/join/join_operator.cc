#include "millrace/engine/join/join_operator.h"

#include <algorithm>
#include <utility>

#include "millrace/engine/join/join_task.h"

namespace millrace {

namespace {

/// Buckets of an interval join span as much time as the interval, so that a row looks into two or
/// three; but not so little that there is one for each row.
constexpr Micros kSliceMin = 1'000'000;

Micros SliceOf(Micros time, Micros slice) {
  const Micros remainder = time % slice;
  return time - remainder - (remainder < 0 ? slice : 0);
}

}  // namespace

JoinOperator::JoinOperator(const PlanNode& node)
    : schema_(node.schema), join_(node.join), is_left_join_(node.join.kind == JoinKind::kLeft) {
  if (join_.interval) {
    slice_ = std::max(join_.interval->highest - join_.interval->lowest, kSliceMin);
  }
  sides_.push_back(MakeSide(node, kLeft));
  sides_.push_back(MakeSide(node, kRight));
  if (join_.condition != nullptr) {
    condition_.emplace(join_.condition);
  }
}

JoinOperator::Side JoinOperator::MakeSide(const PlanNode& node, size_t port) const {
  const auto& keys = port == kLeft ? join_.left_keys : join_.right_keys;
  const size_t first = port == kLeft ? 0 : node.inputs[kLeft]->schema->size();
  Side side;
  side.shape.key = keys;
  for (size_t column = 0; column < node.inputs[port]->schema->size(); ++column) {
    if (std::ranges::find(keys, column) == keys.end()) {
      side.shape.rest.push_back(column);
      side.rest_columns.push_back(first + column);
    }
  }
  for (const size_t column : keys) {
    side.key_columns.push_back(first + column);
  }
  side.shape.drops_null_keys = port == kRight || !is_left_join_;
  side.shape.time = port == kLeft ? join_.left_time : join_.right_time;
  side.shape.partners_from = port == kRight && join_.interval ? join_.interval->lowest : 0;
  return side;
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
      port == kLeft ? time - join_.interval->highest : time + join_.interval->lowest;
  const Micros highest =
      port == kLeft ? time - join_.interval->lowest : time + join_.interval->highest;
  return {.from = SliceOf(lowest, slice_), .to = SliceOf(highest, slice_) + 1};
}

Micros JoinOperator::BucketOf(Micros time) const {
  return join_.interval ? SliceOf(time, slice_) : time;
}

Status JoinOperator::Run(const Task& task, RowReport& report, OperatorOutput& output) const {
  JoinTask join({.tables = task.tables,
                 .schema = schema_,
                 .left = {.key = sides_[kLeft].key_columns, .rest = sides_[kLeft].rest_columns},
                 .right = {.key = sides_[kRight].key_columns, .rest = sides_[kRight].rest_columns},
                 .is_left_join = is_left_join_,
                 .condition = condition_ ? &*condition_ : nullptr,
                 .check = task.check},
                report, output.rows);
  // The right side first: what has come on both in one epoch needs no row without partner.
  for (const size_t port : {kRight, kLeft}) {
    for (const ExchangeBuffer* buffer : task.inputs[port]) {
      static_cast<const KeyedRows*>(buffer)->VisitPartition(
          task.partition, [&](const KeyedRows::Row& row) {
            const JoinTask::Span partners = PartnersOf(port, row.time);
            if (port == kLeft) {
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
  task.tables[kLeft]->DropBuckets(left);
  task.tables[kRight]->DropBuckets(right);
}

Micros JoinOperator::FirstOpen(size_t port, Micros watermark) const {
  if (!join_.left_time) {
    return kMicrosMin;
  }
  if (watermark == kMicrosMin || watermark == kMicrosMax) {
    return watermark;
  }
  const WindowKey& time = port == kLeft ? *join_.left_time : *join_.right_time;
  const Micros open = watermark - time.open_for() + 1;
  // An interval join's rows have the time of the left side: a right row finds none below this.
  return join_.interval && port == kRight ? open + join_.interval->lowest : open;
}

}  // namespace millrace
