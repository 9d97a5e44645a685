#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

namespace {

constexpr std::string_view kTumble = "tumble(table, column, interval '...')";
constexpr std::string_view kHop =
    "hop(table, column, interval '...' between starts, interval '...' size)";

/// A row of a hopping window comes out once for each window that it is in.
constexpr Micros kOverlapsMax = 1000;

constexpr Int128 kWindowMax = Int128{36'525} * kMicrosPerDay;

bool IsLaterTableFunction(const std::string& name) {
  return name == "session" || name == "cumulate";
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

Bound<SelectBinder::Source> SelectBinder::BindRange(const TreeNode& range, int offset) {
  if (range.Is("RangeVar")) {
    return BindRelation(range, offset);
  }
  if (range.Is("RangeFunction")) {
    return BindTableFunction(range, offset);
  }
  if (range.Is("RangeSubselect")) {
    return BindSubquery(range, offset);
  }
  if (range.Is("JoinExpr")) {
    return BindJoin(range, offset);
  }
  return Unsupported(offset, DescribeKind(range.kind()));
}

Bound<SelectBinder::Source> SelectBinder::BindRelation(const TreeNode& range, int offset) {
  const int at = range.offset() >= 0 ? range.offset() : offset;
  MR_TRY(range.AllowOnly({"relname", "alias"}, at));
  const std::string name = range.Text("relname");
  MR_ASSIGN(const std::string alias, BindAlias(range, name, at));
  MR_ASSIGN(PlanPtr plan, Resolve(name, at));
  Scope scope(alias, *plan->schema);
  return Source{std::move(plan), std::move(scope)};
}

Bound<SelectBinder::Source> SelectBinder::BindSubquery(const TreeNode& range, int offset) {
  const TreeNode select = range.Child("subquery");
  MR_TRY(range.AllowOnly({"subquery", "alias"}, offset));
  MR_ASSIGN(const std::string alias, BindAlias(range, "", offset));
  MR_ASSIGN(PlanPtr plan, Bind(select, offset));
  Scope scope(alias, *plan->schema);
  return Source{std::move(plan), std::move(scope)};
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
  if (name == "as_of") {
    return Unsupported(at, "as_of here", "write it right of JOIN or LEFT JOIN");
  }
  if (name != "tumble" && name != "hop") {
    const std::string hint = fmt::format("there are {} and {}", kTumble, kHop);
    return IsLaterTableFunction(name) || IsFunctionName(name)
               ? Bound<Source>(Unsupported(at, name + " in FROM", hint))
               : ErrAt(at, ErrorCode::kSqlUnknownFunction, "table function does not exist: " + name,
                       hint);
  }
  MR_TRY(call.AllowOnly({"funcname", "args"}, at));
  MR_ASSIGN(const std::string alias, BindAlias(range, "", at));
  return BindWindow(call, alias, at);
}

Bound<Micros> SelectBinder::BindWindowSize(const TreeNode& node, std::string_view function) {
  const Scope nothing;
  ExpressionBinder binder(script_, nothing);
  MR_ASSIGN(const ExpressionPtr bound,
            binder.BindAs(node, DataType::Of(TypeId::kInterval), {.clause = function}));
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

Bound<size_t> SelectBinder::BindWindowTime(const TreeNode& node, const PlanNode& input,
                                           const std::string& relation,
                                           const std::string& function) {
  if (node.Is("FuncCall") && node.Names("funcname").back() == "proctime") {
    MR_TRY(node.AllowOnly({"funcname"}, node.offset()));
    if (!input.properties.is_proctime) {
      return ErrAt(node.offset(), ErrorCode::kSqlInvalidWindow,
                   fmt::format("the event time of {} is not proctime()", relation),
                   "give the table a column timestamptz GENERATED ALWAYS AS (proctime()) STORED");
    }
    return *input.properties.event_time;
  }
  const auto column = node.Names("fields");
  if (!node.Is("ColumnRef") || column.size() != 1) {
    return ErrAt(node.offset(), ErrorCode::kSqlInvalidWindow,
                 fmt::format("the second argument of {} must be a column of the table", function),
                 fmt::format("write {}", function == "hop" ? kHop : kTumble));
  }
  const Scope scope(relation, *input.schema);
  MR_ASSIGN(const size_t time, scope.Find("", column[0], node.offset()));
  const DataType type = scope.entry(time).field.type;
  if (type.id != TypeId::kTimestamptz) {
    return ErrAt(node.offset(), ErrorCode::kSqlInvalidWindow,
                 fmt::format("the time column of a window must be timestamptz: {} is {}", column[0],
                             type.ToString()));
  }
  return time;
}

Bound<SelectBinder::Source> SelectBinder::BindWindow(const TreeNode& call, const std::string& alias,
                                                     int offset) {
  const auto arguments = call.List("args");
  const std::string function = call.Names("funcname").back();
  const bool hops = function == "hop";
  const std::string usage = fmt::format("write {}", hops ? kHop : kTumble);
  if (!hops && arguments.size() == 2 && !options_.default_window_size) {
    return ErrAt(offset, ErrorCode::kSqlInvalidWindow, "tumble needs the size of its windows",
                 usage + ", or set processing.window_size in millrace.yaml");
  }
  if (hops ? arguments.size() != 4 : arguments.size() != 2 && arguments.size() != 3) {
    return ErrAt(offset, ErrorCode::kSqlInvalidWindow,
                 fmt::format("{} takes {} arguments", function, hops ? "four" : "two or three"),
                 usage);
  }
  const auto table = arguments[0].Names("fields");
  if (!arguments[0].Is("ColumnRef") || table.size() != 1) {
    return ErrAt(
        arguments[0].offset(), ErrorCode::kSqlInvalidWindow,
        fmt::format("the first argument of {} must be the name of a table or view", function),
        usage);
  }
  MR_ASSIGN(PlanPtr input, Resolve(table[0], arguments[0].offset()));
  MR_ASSIGN(const size_t time, BindWindowTime(arguments[1], *input, table[0], function));
  for (const std::string_view name : {"window_start", "window_end"}) {
    if (input->schema->Find(name)) {
      return ErrAt(offset, ErrorCode::kSqlDuplicateName,
                   fmt::format("the input of {} has a column {} already", function, name),
                   "rename it in a view in between");
    }
  }
  Micros size = options_.default_window_size.value_or(0);
  if (arguments.size() > 2) {
    MR_ASSIGN(size, BindWindowSize(arguments.back(), function));
  }
  Micros slide = size;
  if (hops) {
    MR_ASSIGN(slide, BindWindowSize(arguments[2], function));
    if (slide > size || size / slide > kOverlapsMax) {
      return ErrAt(
          offset, ErrorCode::kSqlInvalidWindow,
          fmt::format("windows of {} cannot begin every {}", FormatInterval({.micros = size}),
                      FormatInterval({.micros = slide})),
          fmt::format("a window is at least as long as the time between two starts, and at "
                      "most {} times",
                      kOverlapsMax));
    }
  }
  PlanPtr plan = MakeWindow(std::move(input), {.time_column = time, .size = size, .slide = slide});
  Scope windowed(alias.empty() ? table[0] : alias, *plan->schema);
  return Source{std::move(plan), std::move(windowed)};
}

}  // namespace millrace::internal
