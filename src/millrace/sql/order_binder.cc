// ORDER BY, LIMIT and OFFSET of a query that runs once.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "millrace/expr/constant_folding.h"
#include "millrace/sql/select_binder.h"
#include "millrace/sql/sort_direction.h"

namespace millrace::internal {

namespace {

/// The output column that a number or a bare name in ORDER BY means: output names come before those
/// of FROM.
Bound<std::optional<size_t>> FindOutput(const TreeNode& node,
                                        const std::vector<std::string>& outputs, int offset) {
  if (node.Is("A_Const")) {
    const int64_t position = node.Bare("ival").Integer("ival");
    if (position < 1 || position > static_cast<int64_t>(outputs.size())) {
      return ErrAt(node.offset() >= 0 ? node.offset() : offset, ErrorCode::kSqlInvalidDefinition,
                   fmt::format("ORDER BY position is not in the select list: {}", position));
    }
    return static_cast<size_t>(position - 1);
  }
  const auto names = node.Names("fields");
  if (node.Is("ColumnRef") && names.size() == 1) {
    const auto found = std::ranges::find(outputs, names[0]);
    if (std::ranges::count(outputs, names[0]) > 1) {
      return ErrAt(offset, ErrorCode::kSqlAmbiguousColumn,
                   "two columns of the select list have this name: " + names[0]);
    }
    if (found != outputs.end()) {
      return static_cast<size_t>(found - outputs.begin());
    }
  }
  return std::nullopt;
}

int OffsetOf(const TreeNode& node) { return std::max(node.offset(), 0); }

}  // namespace

Bound<SortDirection> ReadSortDirection(const TreeNode& sort, const DataType& type, int offset) {
  MR_TRY(sort.AllowOnly({"node", "sortby_dir", "sortby_nulls"}, offset));
  const std::string direction = sort.Text("sortby_dir");
  const std::string nulls = sort.Text("sortby_nulls");
  if (direction == "SORTBY_USING") {
    return Unsupported(offset, "ORDER BY ... USING");
  }
  if (type.id == TypeId::kJsonb) {
    return ErrAt(offset, ErrorCode::kSqlTypeMismatch, "jsonb has no order", "sort by a part of it");
  }
  const bool is_descending = direction == "SORTBY_DESC";
  return SortDirection{.is_descending = is_descending,
                       .nulls_first = nulls == "SORTBY_NULLS_FIRST" ||
                                      (nulls != "SORTBY_NULLS_LAST" && is_descending)};
}

Bound<void> SelectBinder::BindOrder(const TreeNode& select, ExpressionBinder& binder,
                                    std::vector<Item>& items) {
  const size_t shown = items.size();
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const Item& item : items) {
    names.push_back(item.name);
  }
  for (const TreeNode& sort : select.List("sortClause")) {
    const TreeNode node = sort.Child("node");
    const int offset = OffsetOf(node);
    MR_ASSIGN(std::optional<size_t> column, FindOutput(node, names, offset));
    if (!column) {
      MR_ASSIGN(
          ExpressionPtr expression,
          binder.Bind(node, {.clause = "ORDER BY", .allow_aggregates = true, .now = options_.now}));
      const auto same = std::ranges::find_if(
          items, [&](const Item& item) { return SameExpression(*item.expression, *expression); });
      column = static_cast<size_t>(same - items.begin());
      if (same == items.end()) {
        std::string name = fmt::format("order by {}", items.size());
        while (std::ranges::find(names, name) != names.end()) {
          name += '_';
        }
        items.push_back({node, std::move(name), std::move(expression)});
      }
    }
    if (*column >= shown && select.Has("distinctClause")) {
      return ErrAt(offset, ErrorCode::kSqlGrouping,
                   "with DISTINCT only what is in the select list can be sorted by");
    }
    MR_ASSIGN(const SortDirection direction,
              ReadSortDirection(sort, items[*column].expression->type, offset));
    ordering_.keys.push_back({.column = *column, .direction = direction});
  }
  ordering_.columns = shown;
  return BindLimit(select);
}

Bound<void> SelectBinder::BindOrder(const TreeNode& select, const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) {
    names.push_back(field.name);
  }
  for (const TreeNode& sort : select.List("sortClause")) {
    const TreeNode node = sort.Child("node");
    const int offset = OffsetOf(node);
    MR_ASSIGN(const std::optional<size_t> column, FindOutput(node, names, offset));
    if (!column) {
      return ErrAt(offset, ErrorCode::kSqlNotSupported,
                   "a UNION is sorted by names or positions of its columns",
                   "put it into a subquery to sort by an expression");
    }
    MR_ASSIGN(const SortDirection direction,
              ReadSortDirection(sort, schema.field(*column).type, offset));
    ordering_.keys.push_back({.column = *column, .direction = direction});
  }
  ordering_.columns = names.size();
  return BindLimit(select);
}

Bound<void> SelectBinder::BindLimit(const TreeNode& select) {
  if (select.Text("limitOption") == "LIMIT_OPTION_WITH_TIES") {
    return Unsupported(OffsetOf(select.Child("limitCount")), "FETCH FIRST WITH TIES");
  }
  MR_ASSIGN(ordering_.limit, BindCount(select.Child("limitCount"), "LIMIT"));
  MR_ASSIGN(const auto offset, BindCount(select.Child("limitOffset"), "OFFSET"));
  ordering_.offset = offset.value_or(0);
  return {};
}

Bound<std::optional<uint64_t>> SelectBinder::BindCount(const TreeNode& node,
                                                       std::string_view clause) {
  if (!node) {
    return std::nullopt;
  }
  const Scope nothing;
  ExpressionBinder binder(script_, nothing);
  MR_ASSIGN(const ExpressionPtr bound,
            binder.BindAs(node, DataType::Of(TypeId::kInt64), {.clause = clause}));
  const ExpressionPtr count = FoldConstants(bound);
  if (!count->is_literal() || (!count->literal.is_null() && count->literal.Get<int64_t>() < 0)) {
    return ErrAt(OffsetOf(node), ErrorCode::kSqlInvalidLiteral,
                 fmt::format("{} must be a number, not less than 0", clause));
  }
  return count->literal.is_null()
             ? std::optional<uint64_t>()
             : std::optional(static_cast<uint64_t>(count->literal.Get<int64_t>()));
}

}  // namespace millrace::internal
