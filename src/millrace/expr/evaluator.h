#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/row_errors.h"

namespace millrace {

namespace internal {
struct CompiledExpression;
}

/// Evaluates a list of expressions over batches, column by column. Made once per operator;
/// immutable afterwards and safe to use from many threads at once: scratch memory belongs to each
/// call.
///
/// A row on which an expression fails gets NULL and an entry in RowErrors. What SQL does not
/// evaluate cannot fail: branches of CASE that are not taken, COALESCE behind the first value, AND
/// behind false, OR behind true (from left to right).
class Evaluator final {
 public:
  /// The expressions are bound against the schema of the batches to come.
  explicit Evaluator(std::vector<ExpressionPtr> expressions);
  explicit Evaluator(ExpressionPtr expression);
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;
  ~Evaluator();

  /// Returns one column of `batch.rows()` values per expression. Plain column references share the
  /// batch's buffers.
  std::vector<Column> EvaluateAll(const Batch& batch, RowErrors& errors) const;

  /// As EvaluateAll, for an evaluator of one expression.
  Column Evaluate(const Batch& batch, RowErrors& errors) const;

  /// For an evaluator of one boolean expression: returns the rows for which it is true (neither
  /// false nor NULL), ascending. Failed rows are not among them.
  std::vector<uint32_t> EvaluatePredicate(const Batch& batch, RowErrors& errors) const;

 private:
  std::vector<ExpressionPtr> expressions_;
  std::vector<std::unique_ptr<const internal::CompiledExpression>> compiled_;
};

}  // namespace millrace
