#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "millrace/engine/join/join_side.h"
#include "millrace/engine/join/join_task.h"
#include "millrace/engine/operator.h"
#include "millrace/expr/evaluator.h"

namespace millrace {

/// Joins two inputs as both change: each new row is matched with what the other side has kept, and
/// kept itself. A join in windows, or within an interval, keeps rows by event time and forgets them
/// when the watermarks say that no partner can come; another one keeps all.
///
/// A left join puts out a row without partner at once, and takes it back when a partner comes.
class JoinOperator final : public Operator {
 public:
  /// `node` is a join node.
  explicit JoinOperator(const PlanNode& node);

  std::string_view name() const override { return "join"; }
  std::vector<ValueShape> tables() const override;
  std::unique_ptr<ExchangeBuffer> MakeBuffer(size_t port) const override;
  Status Run(const Task& task, RowReport& report, OperatorOutput& output) const override;
  Micros FirstOpen(size_t port, Micros watermark) const override;
  bool forgets_rows() const override { return false; }

 private:
  /// Where a row of a port finds its partners on the other side.
  JoinTask::Span PartnersOf(size_t port, Micros time) const;
  Micros BucketOf(Micros time) const;
  void Forget(const Task& task) const;

  const SchemaPtr schema_;
  const JoinNode join_;
  const bool is_left_join_;
  Micros slice_ = 0;  // Of an interval join: the span of event time of a bucket.
  std::vector<JoinSide> sides_;
  std::optional<Evaluator> condition_;  // Of a left join, over the output's columns.
};

}  // namespace millrace
