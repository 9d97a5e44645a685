#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "millrace/data/types.h"
#include "millrace/data/value.h"

namespace millrace {

struct ScalarFunction;

struct Expression;
/// Expressions are immutable trees that plans share.
using ExpressionPtr = std::shared_ptr<const Expression>;

/// A bound expression over the columns of one input. Plain data; types are resolved, implicit casts
/// are explicit nodes. Evaluated by expr/evaluator.h.
struct Expression {
  enum class Kind : uint8_t {
    kColumn,   ///< `column`
    kLiteral,  ///< `literal`
    kCall,     ///< `function` over `arguments`; strict functions give NULL for a NULL argument
    kCast,     ///< the one argument, to `type`
    kAnd,      ///< three-valued, any number of arguments
    kOr,       ///< three-valued, any number of arguments
    kNot,
    kIsNull,
    kIsNotNull,
    kCase,  ///< arguments: condition, value, condition, value, ..., else value
    kCoalesce,
    kInList,  ///< first argument equal to any of the others, three-valued
  };

  Kind kind = Kind::kLiteral;
  DataType type;
  bool nullable = true;
  size_t column = 0;
  Value literal;
  const ScalarFunction* function = nullptr;  ///< Lives for the whole process.
  std::vector<ExpressionPtr> arguments;

  /// SQL text in PostgreSQL's form, with `names` for the columns; for EXPLAIN and fingerprints.
  std::string ToString(const std::vector<std::string>& names) const;

  bool is_column() const { return kind == Kind::kColumn; }
  bool is_literal() const { return kind == Kind::kLiteral; }
};

ExpressionPtr MakeColumn(size_t column, DataType type, bool nullable);
/// `value` fits `type`; NULL is allowed.
ExpressionPtr MakeLiteral(Value value, DataType type);
/// Casts to `type`; returns `argument` itself when it has that type.
ExpressionPtr MakeCast(ExpressionPtr argument, DataType type);
/// kAnd, kOr, kNot, kIsNull, kIsNotNull and kInList, which are boolean.
ExpressionPtr MakeBoolean(Expression::Kind kind, std::vector<ExpressionPtr> arguments);
/// kCase and kCoalesce; all values have `type` already.
ExpressionPtr MakeBranches(Expression::Kind kind, std::vector<ExpressionPtr> arguments,
                           DataType type);
/// `arguments` have the function's argument types already (functions.h).
ExpressionPtr MakeCall(const ScalarFunction& function, std::vector<ExpressionPtr> arguments);

/// Returns whether both are the same tree: kinds, types, columns, literals, functions.
bool SameExpression(const Expression& a, const Expression& b);

/// Calls `visit(column)` for every column reference, with repeats.
void ForEachColumn(const Expression& expression, const std::function<void(size_t)>& visit);

/// Returns the tree with every column reference replaced by what `replace` gives for it.
ExpressionPtr ReplaceColumns(const ExpressionPtr& expression,
                             const std::function<ExpressionPtr(const Expression&)>& replace);

/// Returns the tree with its arguments replaced; kind, type and function stay.
ExpressionPtr WithArguments(const Expression& expression, std::vector<ExpressionPtr> arguments);

}  // namespace millrace
