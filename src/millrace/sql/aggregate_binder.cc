// Calls of aggregate functions.

#include <algorithm>

#include <fmt/format.h>

#include "millrace/expr/ordered_value.h"
#include "millrace/sql/aggregate_types.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/sort_direction.h"

namespace millrace::internal {

namespace {

bool HasOrder(AggregateKind kind) {
  return kind == AggregateKind::kStringAgg || kind == AggregateKind::kJsonbAgg ||
         kind == AggregateKind::kArrayAgg;
}

/// first(x, time) and string_agg(x, separator) take two arguments.
size_t ArgumentsOf(AggregateKind kind) {
  return kind == AggregateKind::kFirst || kind == AggregateKind::kLast ||
                 kind == AggregateKind::kStringAgg
             ? 2
             : 1;
}

bool KeepsOnlyOne(AggregateKind kind) {
  return kind == AggregateKind::kMin || kind == AggregateKind::kMax ||
         kind == AggregateKind::kFirst || kind == AggregateKind::kLast;
}

}  // namespace

Bound<ExpressionBinder::Piece> ExpressionBinder::BindAggregate(const TreeNode& node,
                                                               const std::string& name) {
  const int offset = node.offset();
  const AggregateKind kind = *FindAggregate(name);
  if (!HasOrder(kind) && node.Has("agg_order")) {
    return Unsupported(offset, "ORDER BY in " + name);
  }
  MR_TRY(node.AllowOnly({"funcname", "args", "agg_star", "agg_filter", "agg_distinct", "agg_order"},
                        offset));
  if (!rules_.allow_aggregates || in_aggregate_) {
    const std::string where =
        in_aggregate_ ? "inside another aggregate" : fmt::format("in {}", rules_.clause);
    return ErrAt(offset, ErrorCode::kSqlGrouping,
                 fmt::format("aggregate functions are not allowed {}: {}", where, name));
  }
  in_aggregate_ = true;
  auto arguments = BindPieces(node.List("args"));
  Bound<ExpressionPtr> filter = ExpressionPtr();
  if (arguments && node.Has("agg_filter")) {
    filter = BindCondition(node.Child("agg_filter"), "the condition of FILTER");
  }
  auto keys = BindAggregateOrder(node);
  in_aggregate_ = false;
  MR_TRY(arguments);
  MR_TRY(filter);
  MR_TRY(keys);
  const bool star = node.Flag("agg_star");
  const size_t wanted = star ? 0 : ArgumentsOf(kind);
  if (arguments->size() != wanted || (star && name != "count")) {
    return ErrAt(
        offset, ErrorCode::kSqlUnknownFunction, fmt::format("wrong number of arguments: {}", name),
        name == "count" ? "write count(*) or count(x)"
                        : fmt::format("{} takes {}", name,
                                      ArgumentsOf(kind) == 1 ? "one argument" : "two arguments"));
  }
  AggregateSpec spec{.kind = star ? AggregateKind::kCountRows : kind,
                     .argument = nullptr,
                     .result_type = DataType::Of(TypeId::kInt64)};
  if (!star) {
    const Piece& piece = arguments->front();
    const bool text = piece.untyped || piece.expression->type.id == TypeId::kText;
    MR_ASSIGN(spec.argument,
              Coerce(piece, text ? DataType::Of(TypeId::kText) : piece.expression->type,
                     CastContext::kImplicit));
    MR_ASSIGN(spec.result_type, At(offset, AggregateResultType(spec.kind, spec.argument->type)));
    spec.distinct = node.Flag("agg_distinct") && !KeepsOnlyOne(spec.kind);
    MR_TRY(PutInOrder(spec, *arguments, *std::move(keys), offset));
  }
  if (*filter != nullptr) {
    // Rows that the filter drops become NULL, which every aggregate but count(*) passes over.
    spec.kind = star ? AggregateKind::kCount : spec.kind;
    ExpressionPtr value =
        star ? MakeLiteral(Value(true), DataType::Of(TypeId::kBoolean)) : spec.argument;
    const DataType type = value->type;
    spec.argument = MakeBranches(Expression::Kind::kCase,
                                 {*filter, std::move(value), MakeLiteral(Value(), type)}, type);
  }
  return AddAggregate(std::move(spec), offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::AddAggregate(AggregateSpec spec, int offset) {
  const auto same = [&](const AggregateSpec& each) {
    return each.kind == spec.kind && each.distinct == spec.distinct &&
           each.separator == spec.separator &&
           (each.argument == nullptr) == (spec.argument == nullptr) &&
           (each.argument == nullptr || SameExpression(*each.argument, *spec.argument));
  };
  const auto at = std::find_if(aggregates_.begin(), aggregates_.end(), same);
  const auto index = static_cast<size_t>(at - aggregates_.begin());
  const DataType type = spec.result_type;
  const bool nullable =
      spec.kind != AggregateKind::kCountRows && spec.kind != AggregateKind::kCount;
  if (at == aggregates_.end()) {
    aggregates_.push_back(std::move(spec));
  }
  return Piece{MakeColumn(scope_.size() + index, type, nullable), false, offset};
}

Bound<std::vector<OrderKey>> ExpressionBinder::BindAggregateOrder(const TreeNode& call) {
  std::vector<OrderKey> keys;
  for (const TreeNode& sort : call.List("agg_order")) {
    const TreeNode node = sort.Child("node");
    MR_ASSIGN(const Piece piece, BindPiece(node));
    if (piece.untyped) {
      continue;  // The same for all rows.
    }
    MR_ASSIGN(const SortDirection direction,
              ReadSortDirection(sort, piece.expression->type, piece.offset));
    keys.push_back({.expression = piece.expression, .direction = direction});
  }
  return keys;
}

Bound<void> ExpressionBinder::PutInOrder(AggregateSpec& spec, const std::vector<Piece>& arguments,
                                         std::vector<OrderKey> keys, int offset) {
  if (spec.kind == AggregateKind::kFirst || spec.kind == AggregateKind::kLast) {
    MR_ASSIGN(ExpressionPtr time,
              Coerce(arguments[1], arguments[1].expression->type, CastContext::kImplicit));
    if (time->type.id == TypeId::kJsonb) {
      return ErrAt(offset, ErrorCode::kSqlTypeMismatch, "jsonb has no order", "go by a part of it");
    }
    spec.argument = MakeOrderedValue(std::move(spec.argument), {{std::move(time), {}}},
                                     OrderedNulls::kWithoutKey);
    return {};
  }
  if (!HasOrder(spec.kind)) {
    return {};
  }
  const ExpressionPtr value = spec.argument;
  if (spec.distinct && std::ranges::any_of(keys, [&](const OrderKey& key) {
        return !SameExpression(*key.expression, *value);
      })) {
    return ErrAt(offset, ErrorCode::kSqlGrouping,
                 "with DISTINCT only the argument can be in the aggregate's ORDER BY");
  }
  if (spec.kind == AggregateKind::kStringAgg) {
    const Expression& separator = *arguments[1].expression;
    const bool is_text = arguments[1].untyped || separator.type.id == TypeId::kText;
    if (!separator.is_literal() || !is_text) {
      return ErrAt(offset, ErrorCode::kSqlNotSupported,
                   "not supported: a separator of string_agg that is no literal text");
    }
    spec.separator = separator.literal.is_null() ? "" : separator.literal.Get<std::string>();
  } else {
    const bool is_json = spec.kind == AggregateKind::kJsonbAgg;
    MR_ASSIGN(const Piece part,
              Call(is_json ? "to_jsonb" : "ARRAY", {Piece{value, false, offset}}, offset));
    spec.argument = part.expression;
  }
  keys.push_back({.expression = value, .direction = {}});
  const OrderedNulls nulls =
      spec.kind == AggregateKind::kStringAgg ? OrderedNulls::kWithoutValue : OrderedNulls::kNever;
  spec.argument = MakeOrderedValue(std::move(spec.argument), keys, nulls);
  return {};
}

}  // namespace millrace::internal
