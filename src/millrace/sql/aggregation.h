#pragma once

#include <string>
#include <vector>

#include "millrace/plan/plan_node.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

/// A grouped query before it becomes plan nodes. Expressions are over the columns of `input`, then
/// the aggregates.
struct Grouping {
  PlanPtr input;
  std::vector<ExpressionPtr> groups;
  std::vector<AggregateSpec> aggregates;
};

/// The plan of a grouped query and how to express its outputs over it.
class Aggregation final {
 public:
  /// Puts an Aggregate over a Project, where the input has not all that is needed as plain columns.
  /// Sets the window where a group is the start or end of a tumbling window over the event time.
  /// kSqlInvalidDefinition when options want final results and there is no such window; `offset` is
  /// for that.
  static Bound<Aggregation> Build(const Grouping& grouping, const SelectOptions& options,
                                  int offset);

  const PlanPtr& plan() const { return plan_; }

  /// Rewrites an expression over the grouped input into one over plan(). kSqlGrouping at the column
  /// that is neither grouped nor aggregated; `binder` knows the offsets.
  Bound<ExpressionPtr> Rewrite(const ExpressionPtr& expression, const ExpressionBinder& binder,
                               int offset) const;

 private:
  PlanPtr plan_;
  Grouping grouping_;
};

}  // namespace millrace::internal
