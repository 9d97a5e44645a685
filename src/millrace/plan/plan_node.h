#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/data/schema.h"
#include "millrace/expr/expression.h"

namespace millrace {

struct PlanNode;
/// Plans are immutable trees, from the result down to the scans.
using PlanPtr = std::shared_ptr<const PlanNode>;

/// Reads a stream, or a materialized view's change stream, from its begin.
struct ScanNode {
  std::string relation;
  bool is_view = false;
  /// Indexes in the relation's schema of the columns that the scan gives, in output order,
  /// ascending; may be empty (count(*)).
  std::vector<size_t> columns;
};

/// Keeps rows for which `predicate` is true (not NULL).
struct FilterNode {
  ExpressionPtr predicate;
};

/// One output column per expression.
struct ProjectNode {
  std::vector<ExpressionPtr> expressions;
};

/// Adds window_start and window_end (timestamptz) behind the input's columns. Windows are
/// [start, end), aligned to 1970-01-01 00:00 UTC plus `origin`.
struct TumbleNode {
  size_t time_column = 0;
  Micros size = 0;
  Micros origin = 0;
};

enum class AggregateKind : uint8_t { kCountRows, kCount, kSum, kMin, kMax, kAvg };

struct AggregateCall {
  AggregateKind kind = AggregateKind::kCountRows;
  size_t argument = 0;  ///< Input column; unused for kCountRows.
  DataType result_type;
};

/// The event-time window that an aggregation is keyed by.
struct WindowKey {
  size_t start_column = 0;  ///< Input column; is one of the group columns.
  size_t end_column = 0;    ///< Input column; may be a group column too.
  Micros size = 0;
  Micros grace = 0;
};

/// Output: the group columns in order, then one column per call.
struct AggregateNode {
  std::vector<size_t> group_columns;  ///< Input columns; empty = one group, present from the start.
  std::vector<AggregateCall> calls;
  std::optional<WindowKey> window;  ///< Set when the groups are per event-time window.
  bool emit_final = false;          ///< One row per group, when its window closes; needs `window`.
};

/// What the planner knows of a node's output.
struct PlanProperties {
  bool append_only = true;           ///< No row has a negative weight.
  std::vector<size_t> key;           ///< Columns that identify a row; empty = unknown.
  std::optional<size_t> event_time;  ///< Column that carries the event time.
};

/// One step of a plan. Exactly one of the node kinds; plain data without behaviour.
struct PlanNode {
  enum class Kind : uint8_t { kScan, kFilter, kProject, kTumble, kAggregate };

  Kind kind = Kind::kScan;
  SchemaPtr schema;  ///< Of the output.
  PlanProperties properties;
  std::vector<PlanPtr> inputs;

  ScanNode scan;
  FilterNode filter;
  ProjectNode project;
  TumbleNode tumble;
  AggregateNode aggregate;
};

/// Renders the plan as an indented tree, one node a line, as EXPLAIN shows it.
std::string ExplainPlan(const PlanNode& plan);

/// A 64-bit hash over everything that decides the plan's result; stable between runs and versions
/// as long as the meaning is.
uint64_t Fingerprint(const PlanNode& plan);

}  // namespace millrace
