#pragma once

#include <string>
#include <vector>

#include "millrace/plan/plan_node.h"

namespace millrace {

// Functions that make one node each and derive its schema and properties. Every plan is built with
// them, so that a node's schema and properties always fit its inputs.

/// Reads all columns of a relation with that schema and those properties.
PlanPtr MakeScan(std::string relation, bool is_view, const Schema& schema,
                 const PlanProperties& properties);
/// The same scan with other columns: indexes in the schema of `scan`, ascending.
PlanPtr MakeNarrowScan(const PlanNode& scan, const std::vector<size_t>& columns);
PlanPtr MakeFilter(PlanPtr input, ExpressionPtr predicate);
/// `names` has one unique name per expression.
PlanPtr MakeProject(PlanPtr input, std::vector<ExpressionPtr> expressions,
                    const std::vector<std::string>& names);
PlanPtr MakeWindow(PlanPtr input, WindowNode window);
/// `names` has one unique name per group column and call.
PlanPtr MakeAggregate(PlanPtr input, AggregateNode aggregate,
                      const std::vector<std::string>& names);

/// Names that both inputs have get a number behind them.
PlanPtr MakeJoin(PlanPtr left, PlanPtr right, JoinNode join);
/// At least two inputs; columns are called as those of the first.
PlanPtr MakeUnion(std::vector<PlanPtr> inputs);
PlanPtr MakeUpsert(PlanPtr input, UpsertNode upsert);

/// The same node over other inputs of the same schemas; properties are derived anew. Not of scans.
PlanPtr WithInputs(const PlanNode& node, std::vector<PlanPtr> inputs);

/// Reference to a column of a plan's output.
ExpressionPtr ColumnOf(const PlanNode& plan, size_t column);

/// Names of `schema` in order.
std::vector<std::string> FieldNames(const Schema& schema);

/// The window that a column is the start or end of.
struct WindowOrigin {
  Micros size = 0;  ///< 0 when it is not known.
  Micros slide = 0;
  const PlanNode* node = nullptr;  ///< What the column comes from: the start and the end have one.
  bool is_end = false;
  /// The rows come from an aggregation or a join in these windows, so that the window's start is
  /// their event time.
  bool of_windows = false;
};

/// Follows a column of `plan` down to the window over the event time that computes it, or to a view
/// whose rows have it as their event time; none when it comes from elsewhere.
std::optional<WindowOrigin> FindWindowOrigin(const PlanNode& plan, size_t column);

}  // namespace millrace
