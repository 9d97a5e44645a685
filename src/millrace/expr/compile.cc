#include <algorithm>
#include <array>

#include "millrace/data/column_builder.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/evaluation.h"

namespace millrace::internal {

namespace {

using Kind = Expression::Kind;

Column LiteralColumn(const Expression& literal) {
  ColumnBuilder builder(literal.type);
  AppendValue(builder, literal.literal);
  return builder.Finish();
}

bool MayFail(const Expression& expression) {
  switch (expression.kind) {
    case Kind::kCall:
      return expression.function->may_fail;
    case Kind::kCast:
      return CastMayFail(expression.arguments[0]->type, expression.type);
    default:
      return false;
  }
}

}  // namespace

CompiledExpression Compile(const Expression& expression) {
  CompiledExpression node;
  node.expression = &expression;
  node.may_fail = MayFail(expression);
  for (const ExpressionPtr& argument : expression.arguments) {
    node.arguments.push_back(Compile(*argument));
    node.may_fail |= node.arguments.back().may_fail;
  }
  if (expression.is_literal()) {
    node.literal = LiteralColumn(expression);
  }
  if (expression.kind == Kind::kCall) {
    auto prepared = PrepareCall(*expression.function, expression.arguments);
    if (prepared) {
      node.prepared = *std::move(prepared);
    } else {
      node.never = std::move(prepared).error();
      node.may_fail = true;
    }
  }
  if (expression.kind == Kind::kInList) {
    const TypeId type = expression.arguments[0]->type.id;
    node.equal = &GetFunction("=", std::array{type, type});
    node.set = MakeLiteralSet(expression);
  }
  return node;
}

}  // namespace millrace::internal
