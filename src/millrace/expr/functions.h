#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/data/types.h"
#include "millrace/data/value.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/kernel.h"

namespace millrace {

/// What a function makes once of its literal arguments, such as a compiled pattern. Safe for many
/// threads at once.
using Prepared = std::shared_ptr<const void>;

/// One overload of a SQL function or operator. Plain data that lives for the whole process.
struct ScalarFunction {
  /// Result type from argument types, where it depends on numeric parameters.
  using ResultRule = DataType (*)(std::span<const DataType> arguments);
  /// `literals`: of each argument its value, null where it is not a literal or is NULL. Fails when
  /// a literal can never be right; every row of such a call would fail with that error.
  using Prepare = Result<Prepared> (*)(std::span<const Value* const> literals);

  std::string_view name;          ///< Lower case, or the operator's symbol.
  std::vector<TypeId> arguments;  ///< Numeric means any precision and scale, array any
                                  ///< element, the same in all arguments.
  DataType result = DataType::Of(TypeId::kText);  ///< When `result_rule` is null.
  Kernel kernel = nullptr;
  ResultRule result_rule = nullptr;
  Prepare prepare = nullptr;   ///< Called once per use; see KernelCall::prepared.
  bool variadic = false;       ///< The last argument may occur any number of times.
  bool strict = true;          ///< NULL for a NULL argument; else the kernel decides.
  bool may_fail = true;        ///< Some arguments give an error.
  bool may_give_null = false;  ///< NULL also without a NULL argument.

  DataType ResultType(std::span<const DataType> types) const {
    return result_rule == nullptr ? result : result_rule(types);
  }
};

/// An argument's type while overloads are chosen: none for a bare string literal or NULL, which
/// takes whatever type fits.
using ArgumentType = std::optional<DataType>;

/// A chosen overload and the types that its arguments must be cast to.
struct ResolvedFunction {
  const ScalarFunction* function = nullptr;
  std::vector<DataType> arguments;
};

/// Chooses the overload of `name` by PostgreSQL's rules: an exact match, else the one with the
/// nearest implicit casts. kSqlUnknownFunction when none or more than one fits; the hint names near
/// functions or the argument types that exist.
Result<ResolvedFunction> ResolveFunction(std::string_view name,
                                         std::span<const ArgumentType> arguments);

/// Returns all overloads of all functions and operators, by name.
std::span<const ScalarFunction> AllFunctions();

/// Returns the names of all functions and operators, sorted.
std::vector<std::string_view> FunctionNames();

/// Returns whether any overload has that name.
bool IsFunctionName(std::string_view name);

/// Returns the overload for exactly these argument types; for code that builds expressions. Ends
/// the process when there is none.
const ScalarFunction& GetFunction(std::string_view name, std::span<const TypeId> arguments);

/// Prepares a call of `function`; none when there is nothing to prepare.
Result<Prepared> PrepareCall(const ScalarFunction& function,
                             std::span<const ExpressionPtr> arguments);

/// Returns the type that values of `a` and `b` are compared and combined in, for CASE, COALESCE, IN
/// and operators between numbers; none when they do not mix.
std::optional<DataType> CommonType(const DataType& a, const DataType& b);

namespace internal {

// One function per family adds its overloads; see functions.cc.
void AddComparisonFunctions(std::vector<ScalarFunction>& out);
void AddArithmeticFunctions(std::vector<ScalarFunction>& out);
void AddNumericFunctions(std::vector<ScalarFunction>& out);
void AddMathFunctions(std::vector<ScalarFunction>& out);
void AddTextFunctions(std::vector<ScalarFunction>& out);
void AddTextPartFunctions(std::vector<ScalarFunction>& out);
void AddFormatFunctions(std::vector<ScalarFunction>& out);
void AddEncodingFunctions(std::vector<ScalarFunction>& out);
void AddHashFunctions(std::vector<ScalarFunction>& out);
void AddPatternFunctions(std::vector<ScalarFunction>& out);
void AddRegexFunctions(std::vector<ScalarFunction>& out);
void AddTimeOperators(std::vector<ScalarFunction>& out);
void AddTimeFunctions(std::vector<ScalarFunction>& out);
void AddTimeZoneFunctions(std::vector<ScalarFunction>& out);
void AddTimeFormatFunctions(std::vector<ScalarFunction>& out);
void AddNumberFormatFunctions(std::vector<ScalarFunction>& out);
void AddJsonFunctions(std::vector<ScalarFunction>& out);
void AddJsonMatchFunctions(std::vector<ScalarFunction>& out);
void AddJsonBuildFunctions(std::vector<ScalarFunction>& out);
void AddArrayFunctions(std::vector<ScalarFunction>& out);

/// The time of arguments 0 to 5 of make_timestamp at `row`; none when there is no such time.
std::optional<Micros> MakeTimestamp(const KernelCall& call, size_t row);

}  // namespace internal
}  // namespace millrace
