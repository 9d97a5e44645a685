// Queries of several queries: UNION, and WITH.

#include <algorithm>

#include <fmt/format.h>

#include "millrace/expr/casts.h"
#include "millrace/expr/functions.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/sql/aggregation.h"
#include "millrace/sql/select_binder.h"

namespace millrace::internal {

namespace {

/// `plan` with columns of these types and names.
PlanPtr WithTypes(const PlanPtr& plan, const std::vector<DataType>& types,
                  const std::vector<std::string>& names) {
  std::vector<ExpressionPtr> columns;
  columns.reserve(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    columns.push_back(MakeCast(ColumnOf(*plan, i), types[i]));
  }
  return MakeProject(plan, std::move(columns), names);
}

/// `plan` of a query in WITH, its first columns with these names.
Bound<PlanPtr> WithNames(PlanPtr plan, const std::string& query,
                         const std::vector<std::string>& names, int offset) {
  if (names.empty()) {
    return plan;
  }
  auto columns = FieldNames(*plan->schema);
  if (names.size() > columns.size()) {
    return ErrAt(
        offset, ErrorCode::kSqlInvalidDefinition,
        fmt::format("{} has {} columns, and {} names", query, columns.size(), names.size()));
  }
  std::ranges::copy(names, columns.begin());
  auto sorted = columns;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    return ErrAt(offset, ErrorCode::kSqlDuplicateName,
                 fmt::format("two columns of {} have the same name: {}", query, *twice));
  }
  std::vector<DataType> types;
  for (const Field& field : plan->schema->fields()) {
    types.push_back(field.type);
  }
  return WithTypes(plan, types, columns);
}

/// Whether a SELECT has just NULL in a place: it takes the type of the other query's column.
bool IsBareNull(const TreeNode& select, size_t place) {
  const auto targets = select.List("targetList");
  const auto is_star = [](const TreeNode& target) {
    const auto fields = target.Child("val").List("fields");
    return !fields.empty() && fields.back().Is("A_Star");
  };
  return place < targets.size() && std::ranges::none_of(targets, is_star) &&
         targets[place].Child("val").Is("A_Const") && targets[place].Child("val").Flag("isnull");
}

size_t CountNodes(const PlanNode& plan) {
  size_t count = 1;
  for (const PlanPtr& input : plan.inputs) {
    count += CountNodes(*input);
  }
  return count;
}

}  // namespace

Bound<PlanPtr> SelectBinder::BindUnion(const TreeNode& select, int offset) {
  if (!IsOutermostQuery()) {
    MR_TRY(select.AllowOnly({"op", "all", "larg", "rarg", "withClause"}, offset));
  }
  MR_TRY(select.AllowOnly({"op", "all", "larg", "rarg", "withClause", "sortClause", "limitCount",
                           "limitOffset", "limitOption"},
                          offset));
  if (select.Text("op") != "SETOP_UNION") {
    return Unsupported(offset, select.Text("op") == "SETOP_EXCEPT" ? "EXCEPT" : "INTERSECT");
  }
  const bool names_columns = depth_ == naming_depth_;
  naming_depth_ += names_columns ? 1 : 0;
  MR_ASSIGN(const PlanPtr left, Bind(select.Bare("larg"), offset));
  naming_depth_ = names_columns ? 0 : naming_depth_;
  MR_ASSIGN(const PlanPtr right, Bind(select.Bare("rarg"), offset));
  const size_t size = left->schema->size();
  if (right->schema->size() != size) {
    return ErrAt(
        offset, ErrorCode::kSqlTypeMismatch,
        fmt::format("the queries of a UNION have {} and {} columns", size, right->schema->size()));
  }
  std::vector<DataType> types;
  for (size_t i = 0; i < size; ++i) {
    const Field& l = left->schema->field(i);
    const Field& r = right->schema->field(i);
    const auto type = IsBareNull(select.Bare("larg"), i)   ? std::optional(r.type)
                      : IsBareNull(select.Bare("rarg"), i) ? std::optional(l.type)
                                                           : CommonType(l.type, r.type);
    if (!type) {
      return ErrAt(offset, ErrorCode::kSqlTypeMismatch,
                   fmt::format("column {} of the UNION is {} in one query and {} in another",
                               l.name, l.type.ToString(), r.type.ToString()),
                   "cast one of them");
    }
    types.push_back(*type);
  }
  if (IsOutermostQuery()) {
    MR_TRY(BindOrder(select, *left->schema));
  }
  const auto names = FieldNames(*left->schema);
  const PlanPtr plan = MakeUnion({WithTypes(left, types, names), WithTypes(right, types, names)});
  return select.Flag("all") ? Bound<PlanPtr>(plan) : BindDistinct(plan, offset);
}

Bound<void> SelectBinder::BindWith(const TreeNode& with, int offset) {
  MR_TRY(with.AllowOnly({"ctes"}, offset));
  for (const TreeNode& cte : with.List("ctes")) {
    const int at = cte.offset() >= 0 ? cte.offset() : offset;
    MR_TRY(cte.AllowOnly({"ctename", "ctequery", "ctematerialized", "aliascolnames"}, at));
    const TreeNode query = cte.Child("ctequery");
    if (!query.Is("SelectStmt")) {
      return Unsupported(at, DescribeKind(query.kind()) + " in WITH");
    }
    MR_ASSIGN(PlanPtr plan, Bind(query, at));
    const std::string name = cte.Text("ctename");
    MR_ASSIGN(plan, WithNames(std::move(plan), name, cte.Names("aliascolnames"), at));
    if (!named_queries_.emplace(name, std::move(plan)).second) {
      return ErrAt(at, ErrorCode::kSqlDuplicateName, "a query in WITH is named twice: " + name);
    }
  }
  return {};
}

Bound<PlanPtr> SelectBinder::Resolve(const std::string& name, int offset) {
  const auto named = named_queries_.find(name);
  PlanPtr plan;
  if (named != named_queries_.end()) {
    plan = named->second;
  } else {
    MR_ASSIGN(plan, relations_.Resolve(name, offset));
  }
  // Queries that name each other twice grow to the power of their number.
  nodes_ += CountNodes(*plan);
  if (nodes_ > kNodesMax) {
    return ErrAt(offset, ErrorCode::kSqlTooLarge,
                 fmt::format("the query has more than {} parts, once each name in FROM is put in",
                             kNodesMax),
                 "make a materialized view of a part that is read often");
  }
  return plan;
}

}  // namespace millrace::internal
