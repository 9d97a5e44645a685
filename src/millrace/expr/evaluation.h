#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/kernel.h"
#include "millrace/expr/truth.h"

namespace millrace::internal {

/// The members of an IN list that are literals of a type with a cheap hash.
struct LiteralSet {
  std::unordered_set<int64_t> integers;
  std::unordered_set<std::string_view> texts;  ///< Views into the expression.
  bool has_null = false;
};

/// An expression with what can be prepared once: literals as columns, sets, kernels.
struct CompiledExpression {
  const Expression* expression = nullptr;
  std::vector<CompiledExpression> arguments;
  Column literal;                         ///< One row, for kLiteral.
  std::optional<LiteralSet> set;          ///< For kInList of many literals.
  const ScalarFunction* equal = nullptr;  ///< For kInList.
  Prepared prepared;                      ///< For kCall.
  std::optional<Error> never;             ///< Why a call fails on every row; from `prepare`.
  bool may_fail = false;                  ///< Some row may give an error.
};

CompiledExpression Compile(const Expression& expression);

/// Returns the members of an IN list as a set, where all are literals and a set pays.
std::optional<LiteralSet> MakeLiteralSet(const Expression& list);

/// One evaluation over all rows of a batch or some of them. Lives for one call; not thread-safe.
class Evaluation final {
 public:
  /// All rows.
  Evaluation(const Batch& batch, RowErrors& errors);
  /// `rows` of the batch, which the caller keeps alive. Columns are gathered when they are used.
  Evaluation(const Batch& batch, std::span<const uint32_t> rows, RowErrors& errors);

  size_t rows() const { return rows_count_; }
  Operand Evaluate(const CompiledExpression& node);
  /// As Evaluate for a boolean expression.
  Truth EvaluateTruth(const CompiledExpression& node);
  /// Evaluates over all rows and makes constants full columns.
  Column EvaluateColumn(const CompiledExpression& node);

 private:
  Operand ColumnOperand(size_t column);
  Operand Call(const CompiledExpression& node, Kernel kernel, bool strict);
  Operand CallKernel(const DataType& type, Kernel kernel, bool strict,
                     std::span<const Operand> operands, const void* prepared = nullptr);
  Operand RunKernel(Kernel kernel, const DataType& type, std::span<const Operand> operands,
                    BufferPtr validity, const void* prepared);
  /// The result of a call that cannot be prepared: every row that has its arguments fails.
  Operand FailAll(const CompiledExpression& node, std::span<const Operand> operands);
  Operand NullTest(const CompiledExpression& node);
  Operand Case(const CompiledExpression& node);
  Operand Coalesce(const CompiledExpression& node);
  Operand InList(const CompiledExpression& node);
  Operand InSet(const CompiledExpression& node);
  Operand InKernels(const CompiledExpression& node);
  Truth Conjunction(const CompiledExpression& node, bool all);
  /// The evaluation of `local`, rows of this evaluation; `mapped` holds their batch rows.
  Evaluation Narrow(std::span<const uint32_t> local, std::vector<uint32_t>& mapped);

  const Batch& batch_;
  RowErrors& errors_;
  bool all_rows_;
  std::span<const uint32_t> rows_;
  size_t rows_count_;
  std::vector<std::optional<Column>> gathered_;
};

}  // namespace millrace::internal
