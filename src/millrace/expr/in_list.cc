#include <algorithm>
#include <array>

#include "millrace/base/check.h"
#include "millrace/expr/evaluation.h"

namespace millrace::internal {

namespace {

/// From here on a hash set beats comparing with one member after the other.
constexpr size_t kSetMembersMin = 5;

bool HasCheapHash(const DataType& type) {
  return type.is_integer() || type.id == TypeId::kDate || type.id == TypeId::kTimestamp ||
         type.id == TypeId::kTimestamptz || type.id == TypeId::kText;
}

template <typename T>
void MatchIntegers(const LiteralSet& set, const Column& column, std::vector<uint64_t>& matches) {
  const auto values = column.Values<T>();
  matches = PackBits(values.size(), [&](size_t row) { return set.integers.contains(values[row]); });
}

std::vector<uint64_t> Matches(const LiteralSet& set, const Column& column) {
  std::vector<uint64_t> matches;
  switch (column.type().width()) {
    case sizeof(int16_t):
      MatchIntegers<int16_t>(set, column, matches);
      break;
    case sizeof(int32_t):
      MatchIntegers<int32_t>(set, column, matches);
      break;
    case sizeof(int64_t):
      MatchIntegers<int64_t>(set, column, matches);
      break;
    default:
      matches =
          PackBits(column.size(), [&](size_t row) { return set.texts.contains(column.Text(row)); });
  }
  return matches;
}

}  // namespace

std::optional<LiteralSet> MakeLiteralSet(const Expression& list) {
  const auto& members = list.arguments;
  const bool literals =
      std::all_of(members.begin() + 1, members.end(),
                  [](const ExpressionPtr& member) { return member->is_literal(); });
  if (!literals || members.size() <= kSetMembersMin || !HasCheapHash(members[0]->type)) {
    return std::nullopt;
  }
  LiteralSet set;
  for (size_t i = 1; i < members.size(); ++i) {
    const Value& value = members[i]->literal;
    if (value.is_null()) {
      set.has_null = true;
    } else if (members[0]->type.id == TypeId::kText) {
      set.texts.insert(value.Get<std::string>());
    } else {
      set.integers.insert(value.Get<int64_t>());
    }
  }
  return set;
}

Operand Evaluation::InSet(const CompiledExpression& node) {
  const Operand operand = Evaluate(node.arguments[0]);
  const size_t rows = operand.column.size();
  std::vector<uint64_t> matches = Matches(*node.set, operand.column);
  Truth truth =
      Truth::FromOperand({Column(DataType::Of(TypeId::kBoolean), rows,
                                 operand.column.validity_buffer(), Buffer::Own(std::move(matches))),
                          false},
                         rows);
  if (node.set->has_null) {
    std::fill(truth.is_false.begin(), truth.is_false.end(), 0);
  }
  return {truth.ToColumn(rows), operand.constant};
}

Operand Evaluation::InKernels(const CompiledExpression& node) {
  const Operand operand = Evaluate(node.arguments[0]);
  Truth truth = Truth::All(false, rows_count_);
  for (size_t i = 1; i < node.arguments.size(); ++i) {
    const std::array operands{operand, Evaluate(node.arguments[i])};
    truth.Or(Truth::FromOperand(
        CallKernel(node.expression->type, node.equal->kernel, true, operands), rows_count_));
  }
  return {truth.ToColumn(rows_count_), false};
}

Operand Evaluation::InList(const CompiledExpression& node) {
  return node.set ? InSet(node) : InKernels(node);
}

}  // namespace millrace::internal
