#pragma once

#include <cstdint>
#include <functional>
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
/// [start, end), one begins every `slide`, aligned to 1970-01-01 00:00 UTC plus `origin`. Where
/// they overlap (slide < size) a row comes out once for each window that it is in.
struct WindowNode {
  size_t time_column = 0;
  Micros size = 0;
  Micros slide = 0;  ///< At most `size`; equal to it: tumbling windows.
  Micros origin = 0;
};

enum class AggregateKind : uint8_t {
  kCountRows,
  kCount,
  kSum,
  kMin,
  kMax,
  kAvg,
  kVarPop,
  kVarSamp,
  kStddevPop,
  kStddevSamp,
  kBoolAnd,
  kBoolOr,
  // Over an argument that is an ordered value (expr/ordered_value.h).
  kFirst,
  kLast,
  kStringAgg,
  kJsonbAgg,
  kArrayAgg,
};

struct AggregateCall {
  AggregateKind kind = AggregateKind::kCountRows;
  size_t argument = 0;  ///< Input column; unused for kCountRows.
  DataType result_type;
  bool distinct = false;  ///< Each value of a group counts once.
  std::string separator;  ///< Of kStringAgg.
};

/// The event-time window that rows are kept by, and closed with.
struct WindowKey {
  static constexpr size_t kNoColumn = SIZE_MAX;

  size_t start_column = 0;        ///< Input column.
  size_t end_column = kNoColumn;  ///< Input column, if there is one.
  Micros size = 0;
  Micros grace = 0;
  /// The start already is the rows' event time, because they come from an aggregation in windows: a
  /// window gets no more rows once the watermark has passed its start.
  bool of_windows = false;

  /// A window that starts at s takes rows until the watermark is s + open_for().
  Micros open_for() const { return of_windows ? 1 : size + grace; }
};

/// Output: the group columns in order, then one column per call.
struct AggregateNode {
  std::vector<size_t> group_columns;  ///< Input columns; empty = one group, present from the start.
  std::vector<AggregateCall> calls;
  /// Set when the groups are per event-time window; its start is one of the group columns.
  std::optional<WindowKey> window;
  bool emit_final = false;  ///< One row per group, when its window closes; needs `window`.
};

enum class JoinKind : uint8_t { kInner, kLeft };

/// How far the event times of two rows that match may be apart: left - right is in
/// [lowest, highest].
struct JoinInterval {
  Micros lowest = 0;
  Micros highest = 0;
};

/// Makes a join one with the row as of the left row's event time: the right input's rows are
/// versions of the rows of a table, each in the place of the one before of its key. A left row
/// meets the version that is there at its time; at most one.
struct AsOf {
  std::vector<size_t> key;            ///< Of the right input: what the versions are of.
  std::optional<size_t> delete_flag;  ///< Boolean column of the right input: from then, none is.
};

/// Pairs of a left and a right row that are equal in the key columns, none of them NULL, and
/// satisfy the condition. Output: the columns of the left input, then those of the right one. A
/// left join has left rows without a partner too, with NULLs.
struct JoinNode {
  JoinKind kind = JoinKind::kInner;
  std::vector<size_t> left_keys;   ///< Of the left input; of the same types as the right ones.
  std::vector<size_t> right_keys;  ///< Of the right input.
  ExpressionPtr condition;         ///< Over the output's columns; null = none.
  Micros grace = 0;                ///< Of windows, as the view says.
  /// Set when rows match only within one event-time window (their starts are equal), or within
  /// `interval` of their event times, or `as_of` the left one; the columns are of the left, and of
  /// the right input.
  std::optional<WindowKey> left_time;
  std::optional<WindowKey> right_time;
  std::optional<JoinInterval> interval;
  std::optional<AsOf> as_of;  ///< Over the columns of left_time and right_time.
};

/// The latest row of each key, of an input that is read as upserts. Output: the input's columns
/// without the flag.
struct UpsertNode {
  std::vector<size_t> key;
  std::optional<size_t> delete_flag;  ///< Boolean column; where it is true the row is deleted.
};

/// What the planner knows of a node's output.
struct PlanProperties {
  bool append_only = true;           ///< No row has a negative weight.
  std::vector<size_t> key;           ///< Columns that identify a row; empty = unknown.
  std::optional<size_t> event_time;  ///< Column that carries the event time.
  bool is_proctime = false;          ///< The event time is a table's proctime().
};

/// One step of a plan. Exactly one of the node kinds; plain data without behaviour.
struct PlanNode {
  enum class Kind : uint8_t {
    kScan,
    kFilter,
    kProject,
    kWindow,
    kAggregate,
    kJoin,
    kUnion,  ///< All rows of all inputs, which have columns of the same types.
    kUpsert,
  };

  Kind kind = Kind::kScan;
  SchemaPtr schema;  ///< Of the output.
  PlanProperties properties;
  std::vector<PlanPtr> inputs;

  ScanNode scan;
  FilterNode filter;
  ProjectNode project;
  WindowNode window;
  AggregateNode aggregate;
  JoinNode join;
  UpsertNode upsert;
};

/// Renders the plan as an indented tree, one node a line, as EXPLAIN shows it.
std::string ExplainPlan(const PlanNode& plan);

/// Whether `matches` holds for the node or for one below it.
bool AnyNode(const PlanNode& plan, const std::function<bool(const PlanNode&)>& matches);

/// One line for each join, "Join on a = b", that keeps all rows of an input that only grows,
/// because nothing bounds the time between two rows that match.
std::vector<std::string> UnboundedJoins(const PlanNode& plan);

/// A 64-bit hash over everything that decides the plan's result; stable between runs and versions
/// as long as the meaning is.
uint64_t Fingerprint(const PlanNode& plan);

}  // namespace millrace
