#include "millrace/expr/constant_folding.h"

#include <algorithm>

#include "millrace/data/batch.h"
#include "millrace/expr/evaluator.h"

namespace millrace {

namespace {

using Kind = Expression::Kind;

bool AllLiterals(const Expression& expression) {
  return std::ranges::all_of(expression.arguments,
                             [](const ExpressionPtr& argument) { return argument->is_literal(); });
}

ExpressionPtr EvaluateOnce(const ExpressionPtr& expression) {
  static const BatchPtr kOneRow = Batch::Make(MakeSchema({}), {}, 1);
  RowErrors errors;
  const Column column = Evaluator(expression).Evaluate(*kOneRow, errors);
  return errors.empty() ? MakeLiteral(ValueAt(column, 0), expression->type) : expression;
}

bool IsTruth(const Expression& expression, bool value) {
  return expression.is_literal() && !expression.literal.is_null() &&
         expression.literal.Get<bool>() == value;
}

/// `decider`: the value that decides the whole, false for AND.
ExpressionPtr FoldConjunction(const ExpressionPtr& expression, bool decider) {
  std::vector<ExpressionPtr> kept;
  for (const ExpressionPtr& argument : expression->arguments) {
    if (IsTruth(*argument, decider) && kept.empty()) {
      return argument;
    }
    if (!IsTruth(*argument, !decider)) {
      kept.push_back(argument);
    }
  }
  if (kept.empty()) {
    return MakeLiteral(Value(!decider), expression->type);
  }
  return kept.size() == 1 ? kept.front() : MakeBoolean(expression->kind, std::move(kept));
}

ExpressionPtr FoldCase(const ExpressionPtr& expression) {
  std::vector<ExpressionPtr> kept;
  const auto& arguments = expression->arguments;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (IsTruth(*arguments[i], true)) {
      kept.push_back(arguments[i + 1]);
      break;
    }
    if (!arguments[i]->is_literal()) {
      kept.push_back(arguments[i]);
      kept.push_back(arguments[i + 1]);
    }
  }
  if (kept.size() % 2 == 0) {
    kept.push_back(arguments.back());
  }
  return kept.size() == 1 ? kept.front()
                          : MakeBranches(Kind::kCase, std::move(kept), expression->type);
}

}  // namespace

ExpressionPtr FoldConstants(const ExpressionPtr& expression) {
  if (expression->arguments.empty() && expression->kind != Kind::kCall) {
    return expression;
  }
  std::vector<ExpressionPtr> arguments;
  bool changed = false;
  for (const ExpressionPtr& argument : expression->arguments) {
    arguments.push_back(FoldConstants(argument));
    changed |= arguments.back() != argument;
  }
  ExpressionPtr folded = changed ? WithArguments(*expression, std::move(arguments)) : expression;
  if (AllLiterals(*folded)) {
    return EvaluateOnce(folded);
  }
  switch (folded->kind) {
    case Kind::kAnd:
      return FoldConjunction(folded, false);
    case Kind::kOr:
      return FoldConjunction(folded, true);
    case Kind::kCase:
      return FoldCase(folded);
    default:
      return folded;
  }
}

}  // namespace millrace
