#include "millrace/expr/ordered_value.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "millrace/data/row_encoding.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"

namespace millrace {

namespace {

/// What a call's first argument, a literal, says.
struct Order {
  OrderedNulls nulls = OrderedNulls::kNever;
  std::vector<SortDirection> keys;
};

/// One character for the NULLs, then one per key.
std::string Describe(const std::vector<OrderKey>& keys, OrderedNulls nulls) {
  std::string text(1, static_cast<char>('0' + static_cast<int>(nulls)));
  for (const OrderKey& key : keys) {
    const char ascending = key.direction.nulls_first ? 'A' : 'a';
    const char descending = key.direction.nulls_first ? 'D' : 'd';
    text += key.direction.is_descending ? descending : ascending;
  }
  return text;
}

Result<Prepared> PrepareOrder(std::span<const Value* const> literals) {
  const auto& text = literals[0]->Get<std::string>();
  auto order = std::make_shared<Order>();
  order->nulls = static_cast<OrderedNulls>(text[0] - '0');
  for (const char key : text.substr(1)) {
    order->keys.push_back(
        {.is_descending = key == 'd' || key == 'D', .nulls_first = key == 'A' || key == 'D'});
  }
  return Prepared(std::move(order));
}

bool IsNull(const KernelCall& call, const Order& order, size_t row) {
  switch (order.nulls) {
    case OrderedNulls::kNever:
      return false;
    case OrderedNulls::kWithoutValue:
      return call.argument(1).IsNull(row);
    case OrderedNulls::kWithoutKey:
      break;
  }
  for (size_t key = 0; key < order.keys.size(); ++key) {
    if (call.argument(2 + key).IsNull(row)) {
      return true;
    }
  }
  return false;
}

Column OrderedValueKernel(const KernelCall& call) {
  const auto& order = *static_cast<const Order*>(call.prepared);
  ColumnBuilder builder(call.type);
  std::string bytes;
  for (size_t row = 0; row < call.rows; ++row) {
    if (IsNull(call, order, row)) {
      builder.AppendNull();
      continue;
    }
    bytes.clear();
    for (size_t key = 0; key < order.keys.size(); ++key) {
      const Operand& operand = call.argument(2 + key);
      AppendSortable(operand.column, operand.constant ? 0 : row, order.keys[key], bytes);
    }
    const auto begin = static_cast<uint32_t>(bytes.size());
    const Operand& value = call.argument(1);
    AppendEncoded(value.column, value.constant ? 0 : row, bytes);
    bytes.append(reinterpret_cast<const char*>(&begin), sizeof(begin));
    internal::AppendBuilt(call, row, bytes, builder);
  }
  return builder.Finish();
}

const ScalarFunction& OrderedValueFunction() {
  static const ScalarFunction kFunction{.name = "ordered",
                                        .arguments = {TypeId::kText},
                                        .result = DataType::Of(TypeId::kBytea),
                                        .kernel = OrderedValueKernel,
                                        .prepare = PrepareOrder,
                                        .variadic = true,
                                        .strict = false,
                                        .may_give_null = true};
  return kFunction;
}

}  // namespace

ExpressionPtr MakeOrderedValue(ExpressionPtr value, const std::vector<OrderKey>& keys,
                               OrderedNulls nulls) {
  std::vector<ExpressionPtr> arguments{
      MakeLiteral(Value(Describe(keys, nulls)), DataType::Of(TypeId::kText)), std::move(value)};
  for (const OrderKey& key : keys) {
    arguments.push_back(key.expression);
  }
  return MakeCall(OrderedValueFunction(), std::move(arguments));
}

std::string_view EncodedValueOf(std::string_view ordered) {
  uint32_t begin = 0;
  const size_t end = ordered.size() - sizeof(begin);
  std::memcpy(&begin, ordered.data() + end, sizeof(begin));
  return ordered.substr(begin, end - begin);
}

}  // namespace millrace
