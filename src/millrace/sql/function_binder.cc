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
    "json_agg", "jsonb_object_agg", "percentile_cont", "percentile_disc", "mode",
    "corr",     "bit_and",          "bit_or",
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
    return Unsupported(offset, "aggregate " + name, name == "json_agg" ? "use jsonb_agg" : "");
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

}  // namespace millrace::internal
