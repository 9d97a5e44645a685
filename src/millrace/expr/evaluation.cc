#include "millrace/expr/evaluation.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "millrace/base/check.h"
#include "millrace/expr/casts.h"

namespace millrace::internal {

namespace {

using Kind = Expression::Kind;

bool AnyNull(std::span<const Operand> operands) {
  return std::any_of(operands.begin(), operands.end(), [](const Operand& operand) {
    return operand.constant && operand.column.IsNull(0);
  });
}

/// Rows where every operand has a value; null when all do.
BufferPtr CommonValidity(std::span<const Operand> operands, size_t rows) {
  BufferPtr common;
  for (const Operand& operand : operands) {
    if (operand.constant || !operand.column.may_have_nulls()) {
      continue;
    }
    if (common == nullptr) {
      common = operand.column.validity_buffer();
      continue;
    }
    const auto before = common->As<uint64_t>();
    std::vector<uint64_t> words(WordsForBits(rows));
    for (size_t i = 0; i < words.size(); ++i) {
      words[i] = before[i] & operand.column.validity()[i];
    }
    common = Buffer::Own(std::move(words));
  }
  return common;
}

Column Expand(const Operand& operand, size_t rows) {
  if (!operand.constant) {
    return operand.column;
  }
  return Gather(operand.column, std::vector<uint32_t>(rows));
}

/// Puts together a column from values of some rows each; together they hold every row once.
class Pieces {
 public:
  Pieces(DataType type, size_t rows) : type_(type), builder_(type), places_(rows) {}

  void Add(const Operand& values, std::span<const uint32_t> rows) {
    for (size_t i = 0; i < rows.size(); ++i) {
      places_[rows[i]] = static_cast<uint32_t>(builder_.size() + i);
    }
    if (!rows.empty()) {
      builder_.AppendColumn(Expand(values, rows.size()));
    }
  }
  void AddNulls(std::span<const uint32_t> rows) {
    if (!rows.empty()) {
      Add({NullColumn(type_, rows.size()), false}, rows);
    }
  }
  Operand Finish() { return {Gather(builder_.Finish(), places_), false}; }

 private:
  DataType type_;
  ColumnBuilder builder_;
  std::vector<uint32_t> places_;
};

std::vector<uint32_t> Pick(std::span<const uint32_t> from, std::span<const uint32_t> positions) {
  std::vector<uint32_t> picked(positions.size());
  for (size_t i = 0; i < positions.size(); ++i) {
    picked[i] = from[positions[i]];
  }
  return picked;
}

std::vector<uint32_t> AllPositions(size_t rows) {
  std::vector<uint32_t> positions(rows);
  std::iota(positions.begin(), positions.end(), 0U);
  return positions;
}

}  // namespace

Evaluation::Evaluation(const Batch& batch, RowErrors& errors)
    : batch_(batch), errors_(errors), all_rows_(true), rows_count_(batch.rows()) {}

Evaluation::Evaluation(const Batch& batch, std::span<const uint32_t> rows, RowErrors& errors)
    : batch_(batch),
      errors_(errors),
      all_rows_(false),
      rows_(rows),
      rows_count_(rows.size()),
      gathered_(batch.columns().size()) {}

Evaluation Evaluation::Narrow(std::span<const uint32_t> local, std::vector<uint32_t>& mapped) {
  if (all_rows_) {
    mapped.assign(local.begin(), local.end());
  } else {
    mapped = Pick(rows_, local);
  }
  return {batch_, mapped, errors_};
}

Operand Evaluation::ColumnOperand(size_t column) {
  if (all_rows_) {
    return {batch_.column(column), false};
  }
  if (!gathered_[column]) {
    gathered_[column] = Gather(batch_.column(column), rows_);
  }
  return {*gathered_[column], false};
}

Operand Evaluation::RunKernel(Kernel kernel, const DataType& type,
                              std::span<const Operand> operands, BufferPtr validity,
                              const void* prepared) {
  const bool constant = std::all_of(operands.begin(), operands.end(),
                                    [](const Operand& operand) { return operand.constant; });
  RowErrors failed;
  Column column = kernel({.type = type,
                          .rows = constant ? 1 : rows_count_,
                          .arguments = operands,
                          .validity = std::move(validity),
                          .errors = failed,
                          .prepared = prepared});
  for (const RowError& error : failed.entries()) {
    const auto first = constant ? 0 : error.row;
    const auto last = constant ? static_cast<uint32_t>(rows_count_) : error.row + 1;
    for (uint32_t row = first; row < last; ++row) {
      errors_.Add(all_rows_ ? row : rows_[row], error.code, error.message);
    }
  }
  return {std::move(column), constant};
}

Operand Evaluation::Call(const CompiledExpression& node, Kernel kernel, bool strict) {
  std::vector<Operand> operands;
  operands.reserve(node.arguments.size());
  for (const CompiledExpression& argument : node.arguments) {
    operands.push_back(Evaluate(argument));
  }
  if (node.never) {
    return FailAll(node, operands);
  }
  return CallKernel(node.expression->type, kernel, strict, operands, node.prepared.get());
}

Operand Evaluation::CallKernel(const DataType& type, Kernel kernel, bool strict,
                               std::span<const Operand> operands, const void* prepared) {
  if (strict && AnyNull(operands)) {
    return {NullColumn(type, 1), true};
  }
  BufferPtr validity = strict ? CommonValidity(operands, rows_count_) : nullptr;
  return RunKernel(kernel, type, operands, std::move(validity), prepared);
}

Operand Evaluation::FailAll(const CompiledExpression& node, std::span<const Operand> operands) {
  const bool strict = node.expression->function->strict;
  for (uint32_t row = 0; row < rows_count_; ++row) {
    const bool null = strict && std::ranges::any_of(operands, [row](const Operand& operand) {
                        return operand.IsNull(row);
                      });
    if (!null) {
      errors_.Add(all_rows_ ? row : rows_[row], node.never->code(), node.never->message());
    }
  }
  return {NullColumn(node.expression->type, 1), true};
}

Operand Evaluation::NullTest(const CompiledExpression& node) {
  const Operand operand = Evaluate(node.arguments[0]);
  const bool wanted = node.expression->kind == Kind::kIsNull;
  const size_t rows = operand.constant ? 1 : rows_count_;
  Truth is_null = Truth::All(false, rows);
  if (operand.column.may_have_nulls()) {
    const uint64_t* valid = operand.column.validity();
    for (size_t i = 0; i < is_null.is_true.size(); ++i) {
      is_null.is_true[i] = is_null.is_false[i] & ~valid[i];
      is_null.is_false[i] &= valid[i];
    }
  }
  if (!wanted) {
    is_null.Negate();
  }
  return {is_null.ToColumn(rows), operand.constant};
}

Operand Evaluation::Case(const CompiledExpression& node) {
  Pieces pieces(node.expression->type, rows_count_);
  std::vector<uint32_t> open = AllPositions(rows_count_);
  size_t i = 0;
  for (; i + 1 < node.arguments.size() && !open.empty(); i += 2) {
    std::vector<uint32_t> mapped;
    Evaluation condition = Narrow(open, mapped);
    const Truth truth = condition.EvaluateTruth(node.arguments[i]);
    const auto taken = Pick(open, SetPositions(truth.is_true, open.size()));
    open = Pick(open, ClearPositions(truth.is_true, open.size()));
    Evaluation value = Narrow(taken, mapped);
    pieces.Add(value.Evaluate(node.arguments[i + 1]), taken);
  }
  if (!open.empty()) {
    std::vector<uint32_t> mapped;
    Evaluation value = Narrow(open, mapped);
    pieces.Add(value.Evaluate(node.arguments[i]), open);
  }
  return pieces.Finish();
}

Operand Evaluation::Coalesce(const CompiledExpression& node) {
  Operand first = Evaluate(node.arguments[0]);
  if (!first.column.may_have_nulls() || (first.constant && !first.column.IsNull(0))) {
    return first;
  }
  Pieces pieces(node.expression->type, rows_count_);
  std::vector<uint32_t> open = AllPositions(rows_count_);
  for (size_t i = 0; i < node.arguments.size() && !open.empty(); ++i) {
    std::vector<uint32_t> mapped;
    Evaluation narrow = Narrow(open, mapped);
    const Column values =
        i == 0 ? Expand(first, open.size()) : narrow.EvaluateColumn(node.arguments[i]);
    std::vector<uint32_t> found = AllPositions(open.size());
    std::vector<uint32_t> missing;
    if (values.may_have_nulls()) {
      const std::span valid(values.validity(), WordsForBits(open.size()));
      found = SetPositions(valid, open.size());
      missing = ClearPositions(valid, open.size());
    }
    pieces.Add({Gather(values, found), false}, Pick(open, found));
    open = Pick(open, missing);
  }
  pieces.AddNulls(open);
  return pieces.Finish();
}

Truth Evaluation::Conjunction(const CompiledExpression& node, bool all) {
  Truth truth = EvaluateTruth(node.arguments[0]);
  for (size_t i = 1; i < node.arguments.size(); ++i) {
    const CompiledExpression& argument = node.arguments[i];
    const auto& decided = all ? truth.is_false : truth.is_true;
    if (!argument.may_fail || CountBits(decided) == 0) {
      const Truth other = EvaluateTruth(argument);
      all ? truth.And(other) : truth.Or(other);
      continue;
    }
    const auto open = ClearPositions(decided, rows_count_);
    std::vector<uint32_t> mapped;
    const Truth other = Narrow(open, mapped).EvaluateTruth(argument);
    all ? truth.AndAt(other, open) : truth.OrAt(other, open);
  }
  return truth;
}

Truth Evaluation::EvaluateTruth(const CompiledExpression& node) {
  switch (node.expression->kind) {
    case Kind::kAnd:
      return Conjunction(node, true);
    case Kind::kOr:
      return Conjunction(node, false);
    case Kind::kNot: {
      Truth truth = EvaluateTruth(node.arguments[0]);
      truth.Negate();
      return truth;
    }
    default:
      return Truth::FromOperand(Evaluate(node), rows_count_);
  }
}

Operand Evaluation::Evaluate(const CompiledExpression& node) {
  const Expression& expression = *node.expression;
  switch (expression.kind) {
    case Kind::kColumn:
      return ColumnOperand(expression.column);
    case Kind::kLiteral:
      return {node.literal, true};
    case Kind::kCall:
      return Call(node, expression.function->kernel, expression.function->strict);
    case Kind::kCast:
      return Call(node, CastColumn, true);
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kNot:
      return {EvaluateTruth(node).ToColumn(rows_count_), false};
    case Kind::kIsNull:
    case Kind::kIsNotNull:
      return NullTest(node);
    case Kind::kCase:
      return Case(node);
    case Kind::kCoalesce:
      return Coalesce(node);
    case Kind::kInList:
      return InList(node);
  }
  MR_CHECK(false, "expression kind {}", static_cast<int>(expression.kind));
}

Column Evaluation::EvaluateColumn(const CompiledExpression& node) {
  return Expand(Evaluate(node), rows_count_);
}

}  // namespace millrace::internal
