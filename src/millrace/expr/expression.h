#pragma once

#include <cstdint>
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
    kCase,     ///< arguments: condition, value, condition, value, ..., else value
    kCoalesce,
    kInList,   ///< first argument equal to any of the others, three-valued
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
};

}  // namespace millrace
