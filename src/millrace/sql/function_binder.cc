#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "millrace/sql/aggregate_types.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/missing_functions.h"

namespace millrace::internal {

namespace {

constexpr std::string_view kMissingAggregates[] = {
    "array_agg",       "string_agg", "json_agg", "jsonb_agg", "jsonb_object_agg", "percentile_cont",
    "percentile_disc", "mode",       "corr",     "bit_and",   "bit_or",
};

bool IsAmong(std::span<const std::string_view> names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Bound<ExpressionBinder::Piece> ExpressionBinder::BindFunction(const TreeNode& node) {
  const int offset = node.offset();
  auto names = node.Names("funcname");
  if (names.size() == 2 && names[0] == "pg_catalog") {
    names.erase(names.begin());
  }
  if (names.size() != 1) {
    return Unsupported(offset, "a schema name before a function");
  }
  const std::string& name = names[0];
  if (FindAggregate(name)) {
    return BindAggregate(node, name);
  }
  if (IsAmong(kMissingAggregates, name)) {
    return Unsupported(offset, "aggregate " + name);
  }
  if (VolatilityOf(name) != Volatility::kStable) {
    return BindMoment(name, offset);
  }
  if (const auto hint = HintForMissing(name)) {
    return Unsupported(offset, "function " + name, std::string(*hint));
  }
  MR_TRY(node.AllowOnly({"funcname", "args"}, offset));
  if (name == "make_interval") {
    return BindMakeInterval(node);
  }
  MR_ASSIGN(auto arguments, BindPieces(node.List("args")));
  if (name == "age" && arguments.size() == 1) {
    return BindAge(std::move(arguments[0]), offset);
  }
  return CallByName(name, std::move(arguments), offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindAggregate(const TreeNode& node,
                                                               const std::string& name) {
  const int offset = node.offset();
  MR_TRY(node.AllowOnly({"funcname", "args", "agg_star", "agg_filter", "agg_distinct"}, offset));
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
  in_aggregate_ = false;
  MR_TRY(arguments);
  MR_TRY(filter);
  const bool star = node.Flag("agg_star");
  if (star != arguments->empty() || arguments->size() > 1 || (star && name != "count")) {
    return ErrAt(offset, ErrorCode::kSqlUnknownFunction,
                 fmt::format("wrong number of arguments: {}", name),
                 name == "count" ? "write count(*) or count(x)" : name + " takes one argument");
  }
  AggregateSpec spec{.kind = star ? AggregateKind::kCountRows : *FindAggregate(name),
                     .argument = nullptr,
                     .result_type = DataType::Of(TypeId::kInt64)};
  if (!star) {
    const Piece& piece = arguments->front();
    const bool text = piece.untyped || piece.expression->type.id == TypeId::kText;
    MR_ASSIGN(spec.argument,
              Coerce(piece, text ? DataType::Of(TypeId::kText) : piece.expression->type,
                     CastContext::kImplicit));
    MR_ASSIGN(spec.result_type, At(offset, AggregateResultType(spec.kind, spec.argument->type)));
    // The smallest and the largest are the same with and without repeats.
    spec.distinct = node.Flag("agg_distinct") && spec.kind != AggregateKind::kMin &&
                    spec.kind != AggregateKind::kMax;
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

}  // namespace millrace::internal
