#pragma once

#include <vector>

#include "millrace/plan/plan_node.h"

namespace millrace {

/// What is known of the conditions on a join: of its own and of those above it, over its output.
struct JoinConditions {
  std::vector<ExpressionPtr> left;        ///< Over the left input alone: may be checked before.
  std::vector<ExpressionPtr> right;       ///< Over the columns of the right input.
  std::vector<ExpressionPtr> left_keys;   ///< Equal to right_keys; over the left input.
  std::vector<ExpressionPtr> right_keys;  ///< Over the columns of the right input.
  std::vector<ExpressionPtr> condition;   ///< What decides whether rows match.
  std::vector<ExpressionPtr> above;       ///< What decides on the rows that come out.
};

/// Sorts the join's own condition and those above it. What can fail stays where it is.
JoinConditions SortJoinConditions(const PlanNode& join, const std::vector<ExpressionPtr>& above);

/// Joins `left` and `right` as `join` does, with conditions that are already in the inputs left
/// out. Finds the event-time window or interval that the rows of a pair share. The output's columns
/// are those of `join`.
PlanPtr BuildJoin(const PlanNode& join, PlanPtr left, PlanPtr right,
                  const JoinConditions& conditions);

}  // namespace millrace
