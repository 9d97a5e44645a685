#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/expr/expression.h"
#include "millrace/sql/located_error.h"

namespace millrace {

/// For tests: expressions in SQL over one row of columns of every kind (see expression_testing.cc).

/// The columns of that row, as in CREATE TABLE.
extern const std::string_view kExpressionColumns;

/// A bound expression, before constants are folded, and the schema that it is bound to.
struct BoundExpression {
  ExpressionPtr expression;
  SchemaPtr schema;
};
internal::Bound<BoundExpression> BindExpression(std::string_view sql,
                                                std::optional<Micros> now = std::nullopt);

/// A batch of `copies` of the row, behind `nulls` rows of NULLs.
BatchPtr ExpressionRows(const SchemaPtr& schema, size_t nulls, size_t copies);

/// The answer of `sql`, as text: NULL, "MR" and the code of a compile error, or "!" and the code of
/// a row error. Evaluates in every way that must not matter: compiled as a view, with constants as
/// columns, over many rows among NULLs; gives a text that says so where two of them differ.
std::string EvaluateSql(std::string_view sql);

}  // namespace millrace
