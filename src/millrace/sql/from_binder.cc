#include <fmt/format.h>

#include "millrace/expr/constant_folding.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

namespace {

constexpr std::string_view kTableFunctions = "tumble(table, column, interval '...')";

constexpr Int128 kWindowMax = Int128{36'525} * kMicrosPerDay;

bool IsLaterTableFunction(const std::string& name) {
  return name == "hop" || name == "session" || name == "cumulate" || name == "as_of";
}

}  // namespace

Bound<std::string> SelectBinder::BindAlias(const TreeNode& range, const std::string& otherwise,
                                           int offset) {
  if (!range.Has("alias")) {
    return otherwise;
  }
  const TreeNode alias = range.Bare("alias");
  MR_TRY(alias.AllowOnly({"aliasname"}, offset));
  return alias.Text("aliasname");
}

Bound<SelectBinder::Source> SelectBinder::BindFrom(const TreeNode& select, int offset) {
  const auto from = select.List("fromClause");
  if (from.empty()) {
    return Unsupported(offset, "SELECT without FROM");
  }
  if (from.size() > 1) {
    const int second = from[1].offset();
    return Unsupported(second >= 0 ? second : offset, "JOIN (several tables in FROM)");
  }
  const TreeNode& range = from.front();
  if (range.Is("RangeVar")) {
    return BindRelation(range, offset);
  }
  if (range.Is("RangeFunction")) {
    return BindTableFunction(range, offset);
  }
  if (range.Is("RangeSubselect")) {
    return BindSubquery(range, offset);
  }
  return Unsupported(offset, DescribeKind(range.kind()));
}

Bound<SelectBinder::Source> SelectBinder::BindRelation(const TreeNode& range, int offset) {
  const int at = range.offset() >= 0 ? range.offset() : offset;
  MR_TRY(range.AllowOnly({"relname", "alias"}, at));
  const std::string name = range.Text("relname");
  MR_ASSIGN(const std::string alias, BindAlias(range, name, at));
  MR_ASSIGN(PlanPtr plan, relations_.Resolve(name, at));
  Scope scope(alias, *plan->schema);
  return Source{std::move(plan), std::move(scope)};
}

Bound<SelectBinder::Source> SelectBinder::BindSubquery(const TreeNode& range, int offset) {
  const TreeNode select = range.Child("subquery");
  MR_TRY(range.AllowOnly({"subquery", "alias"}, offset));
  MR_ASSIGN(const std::string alias, BindAlias(range, "", offset));
  ++depth_;
  auto plan = Bind(select, offset);
  --depth_;
  MR_TRY(plan);
  Scope scope(alias, *(*plan)->schema);
  return Source{*std::move(plan), std::move(scope)};
}

Bound<SelectBinder::Source> SelectBinder::BindTableFunction(const TreeNode& range, int offset) {
  MR_TRY(range.AllowOnly({"functions", "alias"}, offset));
  const auto functions = range.List("functions");
  const auto items = functions.front().List("items");
  const TreeNode call = items.front();
  const int at = call.offset() >= 0 ? call.offset() : offset;
  if (!call.Is("FuncCall") || functions.size() != 1) {
    return Unsupported(at, "this function in FROM");
  }
  const std::string name = call.Names("funcname").back();
  if (name != "tumble") {
    const std::string hint = fmt::format("there is {}", kTableFunctions);
    return IsLaterTableFunction(name) || IsFunctionName(name)
               ? Bound<Source>(Unsupported(at, name + " in FROM", hint))
               : ErrAt(at, ErrorCode::kSqlUnknownFunction, "table function does not exist: " + name,
                       hint);
  }
  MR_TRY(call.AllowOnly({"funcname", "args"}, at));
  MR_ASSIGN(const std::string alias, BindAlias(range, "", at));
  return BindTumble(call, alias, at);
}

Bound<Micros> SelectBinder::BindWindowSize(const TreeNode& node) {
  const Scope nothing;
  ExpressionBinder binder(script_, nothing);
  MR_ASSIGN(const ExpressionPtr bound,
            binder.BindAs(node, DataType::Of(TypeId::kInterval), {.clause = "tumble"}));
  const ExpressionPtr size = FoldConstants(bound);
  const bool known = size->is_literal() && !size->literal.is_null();
  const Interval interval = known ? size->literal.Get<Interval>() : Interval{};
  const Int128 micros = IntervalOrder(interval);
  if (!known || interval.months != 0 || micros <= 0 || micros > kWindowMax) {
    const int at = node.offset() >= 0 ? node.offset() : node.Child("arg").offset();
    return ErrAt(at, ErrorCode::kSqlInvalidWindow,
                 "the size of a window must be a positive interval without months",
                 "for example interval '1 minute'; at most 100 years");
  }
  return static_cast<Micros>(micros);
}

Bound<SelectBinder::Source> SelectBinder::BindTumble(const TreeNode& call, const std::string& alias,
                                                     int offset) {
  const auto arguments = call.List("args");
  const std::string usage = fmt::format("write {}", kTableFunctions);
  if (arguments.size() == 2 && !options_.default_window_size) {
    return ErrAt(offset, ErrorCode::kSqlInvalidWindow, "tumble needs the size of its windows",
                 usage + ", or set processing.window_size in millrace.yaml");
  }
  if (arguments.size() != 2 && arguments.size() != 3) {
    return ErrAt(offset, ErrorCode::kSqlInvalidWindow, "tumble takes two or three arguments",
                 usage);
  }
  const auto table = arguments[0].Names("fields");
  const auto column = arguments[1].Names("fields");
  if (!arguments[0].Is("ColumnRef") || table.size() != 1) {
    return ErrAt(arguments[0].offset(), ErrorCode::kSqlInvalidWindow,
                 "the first argument of tumble must be the name of a table or view", usage);
  }
  if (!arguments[1].Is("ColumnRef") || column.size() != 1) {
    return ErrAt(arguments[1].offset(), ErrorCode::kSqlInvalidWindow,
                 "the second argument of tumble must be a column of the table", usage);
  }
  MR_ASSIGN(PlanPtr input, relations_.Resolve(table[0], arguments[0].offset()));
  const Scope scope(table[0], *input->schema);
  MR_ASSIGN(const size_t time, scope.Find("", column[0], arguments[1].offset()));
  const DataType type = scope.entry(time).field.type;
  if (type.id != TypeId::kTimestamptz) {
    return ErrAt(arguments[1].offset(), ErrorCode::kSqlInvalidWindow,
                 fmt::format("the time column of a window must be timestamptz: {} is {}", column[0],
                             type.ToString()));
  }
  for (const std::string_view name : {"window_start", "window_end"}) {
    if (input->schema->Find(name)) {
      return ErrAt(offset, ErrorCode::kSqlDuplicateName,
                   fmt::format("the input of tumble has a column {} already", name),
                   "rename it in a view in between");
    }
  }
  Micros size = options_.default_window_size.value_or(0);
  if (arguments.size() == 3) {
    MR_ASSIGN(size, BindWindowSize(arguments[2]));
  }
  PlanPtr plan = MakeTumble(std::move(input), {.time_column = time, .size = size});
  Scope windowed(alias.empty() ? table[0] : alias, *plan->schema);
  return Source{std::move(plan), std::move(windowed)};
}

}  // namespace millrace::internal
