#include "millrace/sql/select_binder.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "millrace/plan/optimizer.h"
#include "millrace/plan/plan_builder.h"
#include "millrace/sql/aggregation.h"

namespace millrace::internal {

namespace {

const DataType kBool = DataType::Of(TypeId::kBoolean);

}  // namespace

std::string OutputName(const TreeNode& node) {
  if (node.Is("ColumnRef")) {
    return node.Names("fields").back();
  }
  if (node.Is("FuncCall")) {
    return node.Names("funcname").back();
  }
  if (node.Is("TypeCast")) {
    const std::string inner = OutputName(node.Child("arg"));
    return inner == "?column?" ? node.Bare("typeName").Names("names").back() : inner;
  }
  if (node.Is("CaseExpr")) {
    return "case";
  }
  if (node.Is("CoalesceExpr")) {
    return "coalesce";
  }
  if (node.Is("MinMaxExpr")) {
    return node.Text("op") == "IS_LEAST" ? "least" : "greatest";
  }
  if (node.Is("A_Expr") && node.Text("kind") == "AEXPR_NULLIF") {
    return "nullif";
  }
  return "?column?";
}

Bound<void> SelectBinder::AppendStar(const TreeNode& target, const Scope& scope,
                                     std::vector<Item>& items) {
  const TreeNode node = target.Child("val");
  const auto names = node.Names("fields");
  const std::string qualifier = names.size() == 2 ? names[0] : "";
  if (names.size() > 2) {
    return Unsupported(node.offset(), "a schema name");
  }
  if (!qualifier.empty() && !scope.HasQualifier(qualifier)) {
    return ErrAt(node.offset(), ErrorCode::kSqlUnknownRelation,
                 "no table of this name in FROM: " + qualifier);
  }
  for (size_t i = 0; i < scope.size(); ++i) {
    const Field& field = scope.entry(i).field;
    if (qualifier.empty() ? !scope.entry(i).hidden : scope.entry(i).qualifier == qualifier) {
      items.push_back({node, field.name, MakeColumn(i, field.type, field.nullable)});
    }
  }
  return {};
}

Bound<std::vector<SelectBinder::Item>> SelectBinder::BindTargets(const TreeNode& select,
                                                                 const Scope& scope,
                                                                 ExpressionBinder& binder,
                                                                 int offset) {
  std::vector<Item> items;
  for (const TreeNode& target : select.List("targetList")) {
    MR_TRY(target.AllowOnly({"name", "val"}, target.offset()));
    const TreeNode node = target.Child("val");
    if (node.Is("ColumnRef") && node.List("fields").back().Is("A_Star")) {
      MR_TRY(AppendStar(target, scope, items));
      continue;
    }
    MR_ASSIGN(
        ExpressionPtr expression,
        binder.Bind(node, {.clause = "SELECT", .allow_aggregates = true, .now = options_.now}));
    items.push_back(
        {node, target.Has("name") ? target.Text("name") : OutputName(node), std::move(expression)});
  }
  if (items.empty()) {
    return Unsupported(offset, "a query without columns");
  }
  return items;
}

Bound<std::vector<std::string>> SelectBinder::NamesOf(const std::vector<Item>& items) const {
  std::map<std::string, size_t> count;
  for (const Item& item : items) {
    ++count[item.name];
  }
  std::set<std::string> taken;
  for (const auto& [name, times] : count) {
    taken.insert(name);
  }
  std::map<std::string, size_t> seen;
  std::vector<std::string> names;
  for (const Item& item : items) {
    const size_t number = ++seen[item.name];
    if (number > 1 && options_.is_view && depth_ == naming_depth_) {
      return ErrAt(item.node.offset(), ErrorCode::kSqlDuplicateName,
                   "two columns have the same name: " + item.name, "name one with AS");
    }
    std::string name = item.name;
    if (count[item.name] > 1 && (number > 1 || depth_ != naming_depth_)) {
      name = fmt::format("{}_{}", item.name, number);
      while (!taken.insert(name).second) {
        name += '_';
      }
    }
    names.push_back(std::move(name));
  }
  return names;
}

Bound<std::vector<ExpressionPtr>> SelectBinder::BindGroups(const TreeNode& select,
                                                           const Scope& scope,
                                                           const std::vector<Item>& items,
                                                           ExpressionBinder& binder,
                                                           size_t aggregates) {
  std::vector<ExpressionPtr> groups;
  for (const TreeNode& node : select.List("groupClause")) {
    ExpressionPtr group;
    const auto names = node.Names("fields");
    const bool alias = node.Is("ColumnRef") && names.size() == 1 && !scope.FindUnique(names.back());
    const auto is_meant = [&](const Item& item) { return alias && item.name == names.back(); };
    const auto named = std::ranges::find_if(items, is_meant);
    if (std::ranges::count_if(items, is_meant) > 1) {
      return ErrAt(node.offset(), ErrorCode::kSqlAmbiguousColumn,
                   "two columns of the select list have this name: " + names.back());
    }
    if (node.Is("A_Const")) {
      const int64_t position = node.Bare("ival").Integer("ival");
      if (position < 1 || position > static_cast<int64_t>(items.size())) {
        return ErrAt(node.offset(), ErrorCode::kSqlGrouping,
                     fmt::format("GROUP BY position is not in the select list: {}", position));
      }
      group = items[static_cast<size_t>(position - 1)].expression;
    } else if (named != items.end()) {
      group = named->expression;
    } else {
      MR_ASSIGN(group, binder.Bind(node, {.clause = "GROUP BY", .now = options_.now}));
    }
    bool aggregate = false;
    ForEachColumn(*group, [&](size_t column) { aggregate |= column >= scope.size(); });
    if (aggregate && aggregates > 0) {
      return ErrAt(node.offset(), ErrorCode::kSqlGrouping,
                   "aggregate functions are not allowed in GROUP BY");
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Bound<PlanPtr> SelectBinder::BindDistinct(const PlanPtr& plan, int offset) {
  Grouping grouping{.input = plan, .groups = {}, .aggregates = {}};
  const size_t size = plan->schema->size();
  for (size_t i = 0; i < size; ++i) {
    grouping.groups.push_back(ColumnOf(*plan, i));
  }
  MR_ASSIGN(const Aggregation distinct, Aggregation::Build(grouping, options_, offset));
  if (distinct.plan()->schema->size() == size) {
    return distinct.plan();
  }
  std::vector<ExpressionPtr> outputs;
  outputs.reserve(size);
  for (size_t i = 0; i < size; ++i) {
    outputs.push_back(ColumnOf(*distinct.plan(), i));
  }
  return MakeProject(distinct.plan(), std::move(outputs), FieldNames(*plan->schema));
}

Bound<PlanPtr> SelectBinder::Bind(const TreeNode& select, int offset) {
  if (depth_ >= kSubqueriesMax) {
    return ErrAt(offset, ErrorCode::kSqlTooLarge,
                 fmt::format("subqueries are nested deeper than {}", kSubqueriesMax));
  }
  ++depth_;
  const auto outer_queries = named_queries_;
  Bound<PlanPtr> plan = BindSelect(select, offset);
  named_queries_ = outer_queries;
  --depth_;
  return plan;
}

Bound<PlanPtr> SelectBinder::BindSelect(const TreeNode& select, int offset) {
  if (select.Has("withClause")) {
    MR_TRY(BindWith(select.Bare("withClause"), offset));
  }
  if (select.Has("larg")) {
    return BindUnion(select, offset);
  }
  if (!IsOutermostQuery()) {
    MR_TRY(select.AllowOnly({"targetList", "fromClause", "whereClause", "groupClause",
                             "havingClause", "distinctClause", "withClause"},
                            offset));
  }
  MR_TRY(select.AllowOnly(
      {"targetList", "fromClause", "whereClause", "groupClause", "havingClause", "distinctClause",
       "withClause", "sortClause", "limitCount", "limitOffset", "limitOption"},
      offset));
  const auto distinct = select.List("distinctClause");
  if (!distinct.empty() && distinct.front()) {
    return Unsupported(distinct.front().offset(), "DISTINCT ON");
  }
  MR_ASSIGN(Source source, BindFrom(select, offset));
  ExpressionBinder binder(script_, source.scope);
  if (select.Has("whereClause")) {
    MR_ASSIGN(ExpressionPtr predicate, binder.BindAs(select.Child("whereClause"), kBool,
                                                     {.clause = "WHERE", .now = options_.now}));
    source.plan = FindJoinKeys(MakeFilter(source.plan, std::move(predicate)));
  }
  MR_ASSIGN(auto items, BindTargets(select, source.scope, binder, offset));
  ExpressionPtr having;
  if (select.Has("havingClause")) {
    MR_ASSIGN(having,
              binder.BindAs(select.Child("havingClause"), kBool,
                            {.clause = "HAVING", .allow_aggregates = true, .now = options_.now}));
  }
  Grouping grouping{.input = source.plan, .groups = {}, .aggregates = {}};
  MR_ASSIGN(grouping.groups,
            BindGroups(select, source.scope, items, binder, binder.aggregates().size()));
  if (IsOutermostQuery()) {
    MR_TRY(BindOrder(select, binder, items));
  }
  grouping.aggregates = binder.aggregates();
  MR_ASSIGN(const auto names, NamesOf(items));
  std::vector<ExpressionPtr> outputs;
  outputs.reserve(items.size());
  for (const Item& item : items) {
    outputs.push_back(item.expression);
  }
  PlanPtr plan = source.plan;
  if (!grouping.groups.empty() || !grouping.aggregates.empty() || having != nullptr) {
    MR_ASSIGN(const Aggregation aggregation, Aggregation::Build(grouping, options_, offset));
    plan = aggregation.plan();
    if (having != nullptr) {
      const int at = select.Child("havingClause").offset();
      MR_ASSIGN(ExpressionPtr condition, aggregation.Rewrite(having, binder, at));
      plan = MakeFilter(plan, std::move(condition));
    }
    for (size_t i = 0; i < items.size(); ++i) {
      MR_ASSIGN(outputs[i], aggregation.Rewrite(outputs[i], binder, items[i].node.offset()));
    }
  }
  plan = MakeProject(plan, std::move(outputs), names);
  return distinct.empty() ? Bound<PlanPtr>(plan) : BindDistinct(plan, offset);
}

}  // namespace millrace::internal
