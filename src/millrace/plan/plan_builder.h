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
PlanPtr MakeTumble(PlanPtr input, TumbleNode tumble);
/// `names` has one unique name per group column and call.
PlanPtr MakeAggregate(PlanPtr input, AggregateNode aggregate,
                      const std::vector<std::string>& names);

/// The same node over other inputs of the same schema; properties are derived anew.
PlanPtr WithInput(const PlanNode& node, PlanPtr input);

/// Names of `schema` in order.
std::vector<std::string> FieldNames(const Schema& schema);

/// The tumbling window that a column is the start or end of.
struct WindowOrigin {
  const PlanNode* tumble = nullptr;
  bool is_end = false;
};

/// Follows a column of `plan` down to the tumble node that computes it, through filters and plain
/// column references; none when it comes from elsewhere.
std::optional<WindowOrigin> FindWindowOrigin(const PlanNode& plan, size_t column);

}  // namespace millrace
