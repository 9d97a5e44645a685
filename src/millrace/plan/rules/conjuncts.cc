#include "millrace/plan/rules/conjuncts.h"

#include <algorithm>
#include <utility>

#include "millrace/expr/functions.h"
#include "millrace/plan/plan_builder.h"

namespace millrace {

namespace {

/// Whether every value of `from` has one of `to`.
bool IsSafeCast(const DataType& from, const DataType& to) {
  const auto rank = [](TypeId id) {
    return id == TypeId::kInt16 ? 1 : id == TypeId::kInt32 ? 2 : id == TypeId::kInt64 ? 3 : 0;
  };
  if (to.id == TypeId::kText || to.id == from.id) {
    return to.id == TypeId::kText || to == from;
  }
  return rank(from.id) != 0 && (rank(to.id) > rank(from.id) || to.id == TypeId::kFloat64);
}

}  // namespace

std::vector<ExpressionPtr> Conjuncts(const ExpressionPtr& predicate) {
  if (predicate == nullptr) {
    return {};
  }
  if (predicate->kind != Expression::Kind::kAnd) {
    return {predicate};
  }
  std::vector<ExpressionPtr> all;
  for (const ExpressionPtr& argument : predicate->arguments) {
    std::ranges::copy(Conjuncts(argument), std::back_inserter(all));
  }
  return all;
}

ExpressionPtr Conjunction(std::vector<ExpressionPtr> conjuncts) {
  if (conjuncts.empty()) {
    return nullptr;
  }
  return conjuncts.size() == 1 ? conjuncts.front()
                               : MakeBoolean(Expression::Kind::kAnd, std::move(conjuncts));
}

PlanPtr FilterBy(PlanPtr input, std::vector<ExpressionPtr> conjuncts) {
  return conjuncts.empty() ? input
                           : MakeFilter(std::move(input), Conjunction(std::move(conjuncts)));
}

bool CanFail(const Expression& expression) {
  if (expression.kind == Expression::Kind::kCall && expression.function->may_fail) {
    return true;
  }
  if (expression.kind == Expression::Kind::kCast &&
      !IsSafeCast(expression.arguments[0]->type, expression.type)) {
    return true;
  }
  return std::ranges::any_of(expression.arguments,
                             [](const ExpressionPtr& each) { return CanFail(*each); });
}

}  // namespace millrace
