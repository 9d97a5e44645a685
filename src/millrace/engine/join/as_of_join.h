#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/engine/join/join_side.h"
#include "millrace/engine/operator.h"

namespace millrace {

/// Joins each left row with the version of a table's row that was there at the left row's event
/// time. Left rows wait until the watermarks of both inputs have passed the second that they are
/// in; then no version can come any more that counts for them. A version that comes behind its
/// watermark is not lost: it counts from the watermark on, unless a newer one is there already.
///
/// Keeps of each key the version that is there at the watermark, and all later ones.
class AsOfJoinOperator final : public Operator {
 public:
  /// `node` is a join node with `as_of`.
  explicit AsOfJoinOperator(const PlanNode& node);

  std::string_view name() const override { return "as_of join"; }
  std::vector<ValueShape> tables() const override;
  std::unique_ptr<ExchangeBuffer> MakeBuffer(size_t port) const override;
  Status Run(const Task& task, RowReport& report, OperatorOutput& output) const override;
  Micros FirstOpen(size_t port, Micros watermark) const override;
  bool forgets_rows() const override { return false; }
  bool holds_back_rows() const override { return true; }

 private:
  class Worker;

  const SchemaPtr schema_;
  const JoinNode join_;
  const bool is_left_join_;
  std::vector<JoinSide> sides_;
};

}  // namespace millrace
