// JOIN as_of(table, time): with the row of a table that was there at the time of a row.

#include <fmt/format.h>

#include "millrace/plan/plan_builder.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

namespace {

constexpr std::string_view kUsage =
    "write JOIN as_of(table, left_time) alias ON left_column = alias.key";

TreeNode CallIn(const TreeNode& range) {
  const auto functions = range.List("functions");
  if (!range.Is("RangeFunction") || functions.size() != 1) {
    return {};
  }
  return functions.front().List("items").front();
}

bool LacksKeys(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kJoin && node.join.as_of &&
         node.join.right_keys.size() < node.join.as_of->key.size();
}

bool HasCondition(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kJoin && node.join.as_of && node.join.condition != nullptr;
}

WindowKey TimeIn(size_t column, Micros grace) {
  return {.start_column = column, .size = 1, .grace = grace};
}

}  // namespace

bool SelectBinder::IsAsOf(const TreeNode& range) {
  const TreeNode call = CallIn(range);
  return call.Is("FuncCall") && call.Names("funcname").back() == "as_of";
}

Bound<size_t> SelectBinder::BindAsOfTime(const TreeNode& node, const Source& left, int offset) {
  const auto fields = node.Names("fields");
  if (!node.Is("ColumnRef") || fields.empty() || fields.size() > 2) {
    return ErrAt(offset, ErrorCode::kSqlInvalidJoin,
                 "the second argument of as_of must be a column of the left side",
                 std::string(kUsage));
  }
  MR_ASSIGN(const size_t time,
            left.scope.Find(fields.size() == 2 ? fields[0] : "", fields.back(), node.offset()));
  if (!left.plan->properties.append_only) {
    return ErrAt(offset, ErrorCode::kSqlNotSupported,
                 "not supported: as_of right of rows that change or go",
                 "the left side is a table without a primary key, or a view of which no row is "
                 "taken back (emit = 'final')");
  }
  if (left.plan->properties.event_time != time) {
    return ErrAt(node.offset(), ErrorCode::kSqlInvalidJoin,
                 fmt::format("{} is not the event time of the left side", fields.back()),
                 "rows wait until the table has come to their event time: name the column that "
                 "event_time of the table, or the aggregation below, says");
  }
  return time;
}

Bound<SelectBinder::Source> SelectBinder::BindAsOf(const TreeNode& range, const Source& left,
                                                   JoinNode& join) {
  MR_TRY(range.AllowOnly({"functions", "alias"}, -1));
  const TreeNode call = CallIn(range);
  const int at = call.offset();
  MR_TRY(call.AllowOnly({"funcname", "args"}, at));
  const auto arguments = call.List("args");
  const auto table = arguments.empty() ? std::vector<std::string>() : arguments[0].Names("fields");
  if (arguments.size() != 2 || !arguments[0].Is("ColumnRef") || table.size() != 1) {
    return ErrAt(at, ErrorCode::kSqlInvalidJoin,
                 "as_of takes the name of a table and a column of the left side",
                 std::string(kUsage));
  }
  MR_ASSIGN(const std::string alias, BindAlias(range, table[0], at));
  MR_ASSIGN(const PlanPtr rows, Resolve(table[0], arguments[0].offset()));
  const bool has_versions =
      rows->kind == PlanNode::Kind::kUpsert && rows->inputs[0]->properties.event_time.has_value();
  if (!has_versions) {
    return ErrAt(arguments[0].offset(), ErrorCode::kSqlInvalidJoin,
                 fmt::format("{} has no rows as of a time: it is not a table with a primary key "
                             "and an event_time",
                             table[0]),
                 "as_of reads the versions of a table's rows");
  }
  MR_ASSIGN(const size_t time, BindAsOfTime(arguments[1], left, at));
  join.as_of = AsOf{.key = rows->upsert.key, .delete_flag = rows->upsert.delete_flag};
  join.left_time = TimeIn(time, options_.grace);
  join.right_time = TimeIn(*rows->inputs[0]->properties.event_time, options_.grace);
  return Source{rows->inputs[0], Scope(alias, *rows->schema)};
}

Bound<void> SelectBinder::FinishAsOf(Source& joined, int offset) {
  if (AnyNode(*joined.plan, LacksKeys)) {
    return ErrAt(offset, ErrorCode::kSqlInvalidJoin,
                 "a join with as_of needs an equality for each column of the table's primary key",
                 "of the same type as the key: cast the left side if it is not");
  }
  if (AnyNode(*joined.plan, HasCondition)) {
    return ErrAt(offset, ErrorCode::kSqlNotSupported,
                 "not supported: LEFT JOIN as_of ON more than the primary key",
                 "select from it in a view, and use CASE there");
  }
  const size_t columns = joined.scope.size();
  if (joined.plan->schema->size() == columns) {
    return {};
  }
  // What says that a row is deleted is no column of the table.
  std::vector<ExpressionPtr> kept;
  kept.reserve(columns);
  std::vector<std::string> names = FieldNames(*joined.plan->schema);
  names.resize(columns);
  for (size_t column = 0; column < columns; ++column) {
    kept.push_back(ColumnOf(*joined.plan, column));
  }
  joined.plan = MakeProject(std::move(joined.plan), std::move(kept), names);
  return {};
}

}  // namespace millrace::internal
