#include "millrace/expr/evaluator.h"

#include <span>
#include <utility>

#include "millrace/base/check.h"
#include "millrace/expr/evaluation.h"

namespace millrace {

using internal::CompiledExpression;
using internal::Evaluation;
using internal::Truth;

Evaluator::Evaluator(std::vector<ExpressionPtr> expressions)
    : expressions_(std::move(expressions)) {
  for (const ExpressionPtr& expression : expressions_) {
    compiled_.push_back(std::make_unique<const CompiledExpression>(internal::Compile(*expression)));
  }
}

Evaluator::Evaluator(ExpressionPtr expression)
    : Evaluator(std::vector<ExpressionPtr>{std::move(expression)}) {}

Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;
Evaluator::~Evaluator() = default;

std::vector<Column> Evaluator::EvaluateAll(const Batch& batch, RowErrors& errors) const {
  Evaluation evaluation(batch, errors);
  std::vector<Column> columns;
  columns.reserve(compiled_.size());
  for (const auto& node : compiled_) {
    columns.push_back(evaluation.EvaluateColumn(*node));
  }
  return columns;
}

Column Evaluator::Evaluate(const Batch& batch, RowErrors& errors) const {
  MR_CHECK(compiled_.size() == 1);
  return Evaluation(batch, errors).EvaluateColumn(*compiled_.front());
}

std::vector<uint32_t> Evaluator::EvaluatePredicate(const Batch& batch, RowErrors& errors) const {
  MR_CHECK(compiled_.size() == 1);
  const size_t errors_before = errors.entries().size();
  Evaluation evaluation(batch, errors);
  Truth truth = evaluation.EvaluateTruth(*compiled_.front());
  // The value of what failed is NULL, and IS NULL of it would be true.
  for (const RowError& error : std::span(errors.entries()).subspan(errors_before)) {
    truth.is_true[error.row / 64] &= ~(uint64_t{1} << (error.row % 64));
  }
  return internal::SetPositions(truth.is_true, batch.rows());
}

}  // namespace millrace
