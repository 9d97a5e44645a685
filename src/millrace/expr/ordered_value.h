#pragma once

#include <string_view>
#include <vector>

#include "millrace/data/sort_encoding.h"
#include "millrace/expr/expression.h"

namespace millrace {

/// A key that values are put into order by.
struct OrderKey {
  ExpressionPtr expression;
  SortDirection direction;
};

/// When an ordered value is NULL, which aggregates pass over.
enum class OrderedNulls : uint8_t {
  kNever,
  kWithoutValue,
  kWithoutKey,  ///< When any key is NULL.
};

/// An expression of type bytea that holds a value and orders by its keys, then by the bytes of the
/// value: how aggregates over an order (first, last, string_agg, jsonb_agg) see their rows. Not a
/// function of SQL.
///
/// The keys as AppendSortable, the value as AppendEncoded, then 32 bits: where the value begins.
ExpressionPtr MakeOrderedValue(ExpressionPtr value, const std::vector<OrderKey>& keys,
                               OrderedNulls nulls);

/// The value, as AppendEncoded writes it.
std::string_view EncodedValueOf(std::string_view ordered);

}  // namespace millrace
