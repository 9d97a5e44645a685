// FROM with several relations: joins, with ON, USING and commas.

#include <algorithm>

#include <fmt/format.h>

#include "millrace/expr/casts.h"
#include "millrace/expr/functions.h"
#include "millrace/plan/optimizer.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/plan/rules/conjuncts.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

namespace {

const DataType kBool = DataType::Of(TypeId::kBoolean);

/// `a = b` in their common type.
Bound<ExpressionPtr> Equal(const ExpressionPtr& a, const ExpressionPtr& b, const std::string& name,
                           int offset) {
  const auto type = CommonType(a->type, b->type);
  const std::optional<DataType> types[] = {type, type};
  if (!type) {
    return ErrAt(offset, ErrorCode::kSqlTypeMismatch,
                 fmt::format("column {} of USING is {} on one side and {} on the other", name,
                             a->type.ToString(), b->type.ToString()),
                 "join ON a cast");
  }
  MR_ASSIGN(const ResolvedFunction equal, At(offset, ResolveFunction("=", types)));
  return MakeCall(*equal.function, {MakeCast(a, *type), MakeCast(b, *type)});
}

}  // namespace

Bound<SelectBinder::Source> SelectBinder::JoinSources(Source left, Source right, JoinNode join) {
  Source joined;
  joined.scope = Scope::Of(left.scope, right.scope);
  joined.plan = MakeJoin(std::move(left.plan), std::move(right.plan), std::move(join));
  return joined;
}

Bound<SelectBinder::Source> SelectBinder::BindJoin(const TreeNode& node, int offset) {
  MR_TRY(node.AllowOnly({"jointype", "larg", "rarg", "quals", "usingClause", "rtindex"}, offset));
  const std::string type = node.Text("jointype");
  if (type != "JOIN_INNER" && type != "JOIN_LEFT" && type != "JOIN_RIGHT") {
    return Unsupported(offset, type == "JOIN_FULL" ? "FULL JOIN" : "this kind of join");
  }
  if (++depth_ > kSubqueriesMax) {
    return ErrAt(offset, ErrorCode::kSqlTooLarge,
                 fmt::format("joins are nested deeper than {}", kSubqueriesMax));
  }
  const bool swapped = type == "JOIN_RIGHT";
  JoinNode join{.kind = type == "JOIN_INNER" ? JoinKind::kInner : JoinKind::kLeft,
                .left_keys = {},
                .right_keys = {},
                .condition = nullptr,
                .grace = options_.grace};
  MR_ASSIGN(Source left, BindRange(node.Child(swapped ? "rarg" : "larg"), offset));
  const TreeNode range = node.Child(swapped ? "larg" : "rarg");
  MR_ASSIGN(Source right,
            !swapped && IsAsOf(range) ? BindAsOf(range, left, join) : BindRange(range, offset));
  --depth_;
  for (size_t i = 0; i < right.scope.size(); ++i) {
    const std::string& qualifier = right.scope.entry(i).qualifier;
    if (!qualifier.empty() && left.scope.HasQualifier(qualifier)) {
      return ErrAt(offset, ErrorCode::kSqlDuplicateName,
                   "a table is named twice in FROM: " + qualifier, "give one an alias");
    }
  }
  const size_t left_size = left.scope.size();
  std::vector<ExpressionPtr> conditions;
  std::vector<size_t> merged;
  for (const std::string& name : node.Names("usingClause")) {
    MR_ASSIGN(const size_t l, left.scope.Find("", name, offset));
    MR_ASSIGN(const size_t r, right.scope.Find("", name, offset));
    const Field& right_field = right.scope.entry(r).field;
    MR_ASSIGN(
        ExpressionPtr equal,
        Equal(ColumnOf(*left.plan, l),
              MakeColumn(left_size + r, right_field.type, right_field.nullable), name, offset));
    conditions.push_back(std::move(equal));
    merged.push_back(left_size + r);
  }
  MR_ASSIGN(Source joined, JoinSources(std::move(left), std::move(right), join));
  for (const size_t column : merged) {
    joined.scope.Hide(column);
  }
  if (node.Has("quals")) {
    ExpressionBinder binder(script_, joined.scope);
    MR_ASSIGN(ExpressionPtr on,
              binder.BindAs(node.Child("quals"), kBool, {.clause = "ON", .now = options_.now}));
    conditions.push_back(std::move(on));
  }
  join = joined.plan->join;
  join.condition = Conjunction(std::move(conditions));
  joined.plan =
      FindJoinKeys(MakeJoin(joined.plan->inputs[0], joined.plan->inputs[1], std::move(join)));
  MR_TRY(FinishAsOf(joined, offset));
  return joined;
}

Bound<SelectBinder::Source> SelectBinder::BindFrom(const TreeNode& select, int offset) {
  const auto from = select.List("fromClause");
  if (from.empty()) {
    return Unsupported(offset, "SELECT without FROM");
  }
  MR_ASSIGN(Source source, BindRange(from.front(), offset));
  for (size_t i = 1; i < from.size(); ++i) {
    MR_ASSIGN(Source next, BindRange(from[i], offset));
    for (size_t column = 0; column < next.scope.size(); ++column) {
      const std::string& qualifier = next.scope.entry(column).qualifier;
      if (!qualifier.empty() && source.scope.HasQualifier(qualifier)) {
        return ErrAt(from[i].offset() >= 0 ? from[i].offset() : offset,
                     ErrorCode::kSqlDuplicateName, "a table is named twice in FROM: " + qualifier,
                     "give one an alias");
      }
    }
    MR_ASSIGN(source, JoinSources(std::move(source), std::move(next), {.grace = options_.grace}));
  }
  return source;
}

}  // namespace millrace::internal
