#pragma once

#include <memory>
#include <vector>

#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/operator.h"

namespace millrace {

/// Keeps the groups of an aggregation: merges what the first phase (PartialGroups) has made of new
/// rows, and puts out the groups that changed or, for final results, those of windows that the
/// watermark has closed.
class AggregateOperator final : public Operator {
 public:
  /// `node` is an aggregate node. Errors as GroupBy::Make.
  static Result<std::unique_ptr<AggregateOperator>> Make(const PlanNode& node);

  std::string_view name() const override { return "aggregate"; }
  std::vector<ValueShape> tables() const override;
  std::unique_ptr<ExchangeBuffer> MakeBuffer(size_t port) const override;
  Status Run(const Task& task, RowReport& report, OperatorOutput& output) const override;
  Micros FirstOpen(size_t, Micros watermark) const override {
    return group_by_.FirstOpenBucket(watermark);
  }
  bool forgets_rows() const override { return group_by_.window().has_value(); }
  bool starts_by_itself() const override { return group_by_.has_single_group(); }
  bool remembers_rows() const override { return !is_final_; }
  Status VisitRows(std::span<KeyedState* const> tables, size_t batch_rows_max,
                   const RowVisitor& visit) const override;

 private:
  AggregateOperator(GroupBy group_by, bool is_final)
      : group_by_(std::move(group_by)), is_final_(is_final) {}

  void MergePartials(const Task& task) const;
  Status UpdateValueSets(const Task& task) const;
  Status PutOutClosed(const KeyedState& state, Micros first_open, RowReport& report,
                      std::vector<BatchPtr>& output) const;

  const GroupBy group_by_;
  const bool is_final_;
};

}  // namespace millrace
