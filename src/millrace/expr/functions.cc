#include "millrace/expr/functions.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/nearest_name.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/numeric_type.h"

namespace millrace {

namespace {

const std::vector<ScalarFunction>& Registry() {
  static const std::vector<ScalarFunction> kFunctions = [] {
    std::vector<ScalarFunction> out;
    internal::AddComparisonFunctions(out);
    internal::AddArithmeticFunctions(out);
    internal::AddNumericFunctions(out);
    internal::AddMathFunctions(out);
    internal::AddTextFunctions(out);
    internal::AddTextPartFunctions(out);
    internal::AddFormatFunctions(out);
    internal::AddEncodingFunctions(out);
    internal::AddHashFunctions(out);
    internal::AddPatternFunctions(out);
    internal::AddRegexFunctions(out);
    internal::AddTimeOperators(out);
    internal::AddTimeFunctions(out);
    internal::AddTimeZoneFunctions(out);
    internal::AddTimeFormatFunctions(out);
    internal::AddNumberFormatFunctions(out);
    internal::AddJsonFunctions(out);
    internal::AddJsonMatchFunctions(out);
    internal::AddJsonBuildFunctions(out);
    internal::AddArrayFunctions(out);
    std::stable_sort(out.begin(), out.end(), [](const ScalarFunction& a, const ScalarFunction& b) {
      return a.name < b.name;
    });
    return out;
  }();
  return kFunctions;
}

std::span<const ScalarFunction> Overloads(std::string_view name) {
  const auto& functions = Registry();
  const auto [first, last] = std::equal_range(
      functions.begin(), functions.end(), ScalarFunction{.name = name, .arguments = {}},
      [](const ScalarFunction& a, const ScalarFunction& b) { return a.name < b.name; });
  return {first, last};
}

struct Candidate {
  const ScalarFunction* function = nullptr;
  size_t exact = 0;      ///< Arguments of just that type.
  size_t preferred = 0;  ///< Casts to the preferred type of a category.
  size_t texts = 0;      ///< Bare literals taken as text.
  int distance = 0;      ///< Sum of the casts' lengths.
};

bool IsPreferred(TypeId id) {
  return id == TypeId::kFloat64 || id == TypeId::kText || id == TypeId::kTimestamptz;
}

TypeId ParameterAt(const ScalarFunction& function, size_t index) {
  return function.arguments[std::min(index, function.arguments.size() - 1)];
}

int Distance(TypeId from, TypeId to) {
  return std::abs(static_cast<int>(from) - static_cast<int>(to));
}

std::optional<Candidate> Match(const ScalarFunction& function,
                               std::span<const ArgumentType> arguments) {
  const bool arity_fits = function.variadic ? arguments.size() >= function.arguments.size()
                                            : arguments.size() == function.arguments.size();
  if (!arity_fits) {
    return std::nullopt;
  }
  Candidate candidate{.function = &function};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const TypeId parameter = ParameterAt(function, i);
    if (!arguments[i]) {
      candidate.texts += parameter == TypeId::kText ? 1 : 0;
    } else if (arguments[i]->id == parameter) {
      ++candidate.exact;
    } else if (CanCast(*arguments[i], DataType::Of(parameter), CastContext::kImplicit)) {
      candidate.preferred += IsPreferred(parameter) ? 1 : 0;
      candidate.distance += Distance(arguments[i]->id, parameter);
    } else {
      return std::nullopt;
    }
  }
  return candidate;
}

/// Keeps the candidates for which `score` is highest.
template <typename Score>
void KeepBest(std::vector<Candidate>& candidates, Score score) {
  if (candidates.empty()) {
    return;
  }
  auto best = score(candidates.front());
  for (const Candidate& candidate : candidates) {
    best = std::max(best, score(candidate));
  }
  std::erase_if(candidates, [&](const Candidate& c) { return score(c) != best; });
}

std::vector<Candidate> BestMatches(std::string_view name, std::span<const ArgumentType> arguments) {
  std::vector<Candidate> candidates;
  for (const ScalarFunction& function : Overloads(name)) {
    if (const auto candidate = Match(function, arguments)) {
      candidates.push_back(*candidate);
    }
  }
  KeepBest(candidates, [](const Candidate& c) { return c.exact; });
  KeepBest(candidates, [](const Candidate& c) { return c.preferred; });
  KeepBest(candidates, [](const Candidate& c) { return c.texts; });
  KeepBest(candidates, [](const Candidate& c) { return -c.distance; });
  return candidates;
}

/// PostgreSQL takes a bare literal beside one operand as that operand's type, and combines two
/// numbers in their common type.
std::vector<ArgumentType> Aligned(std::span<const ArgumentType> arguments) {
  std::vector<ArgumentType> aligned(arguments.begin(), arguments.end());
  if (arguments.size() != 2) {
    return aligned;
  }
  if (arguments[0] && !arguments[1]) {
    aligned[1] = arguments[0];
  } else if (arguments[1] && !arguments[0]) {
    aligned[0] = arguments[1];
  } else if (arguments[0] && arguments[0]->is_number() && arguments[1]->is_number()) {
    aligned[0] = aligned[1] = CommonType(*arguments[0], *arguments[1]);
  }
  return aligned;
}

bool IsExact(const std::vector<Candidate>& candidates, size_t arguments) {
  return candidates.size() == 1 && candidates.front().exact == arguments;
}

std::string Signature(std::string_view name, std::span<const ArgumentType> arguments) {
  std::string types;
  for (const ArgumentType& argument : arguments) {
    types += types.empty() ? "" : ", ";
    types += argument ? argument->ToString() : "unknown";
  }
  return fmt::format("{}({})", name, types);
}

std::string TypeName(TypeId id) {
  return id == TypeId::kNumeric ? "numeric" : DataType::Of(id).ToString();
}

std::string OverloadHint(std::string_view name) {
  std::string hint;
  for (const ScalarFunction& function : Overloads(name)) {
    hint += hint.empty() ? "there is " : ", ";
    hint += fmt::format("{}(", name);
    for (size_t i = 0; i < function.arguments.size(); ++i) {
      hint += (i == 0 ? "" : ", ") + TypeName(function.arguments[i]);
    }
    hint += function.variadic ? ", ...)" : ")";
    if (hint.size() > 200) {
      return hint + ", ...";
    }
  }
  return hint;
}

/// The type that all arrays among the arguments are cast to; none when they do not mix.
std::optional<DataType> ArrayType(const ScalarFunction& function,
                                  std::span<const ArgumentType> arguments) {
  std::optional<DataType> type;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (ParameterAt(function, i) == TypeId::kArray && arguments[i]) {
      type = type ? CommonType(*type, *arguments[i]) : arguments[i];
      if (!type) {
        return std::nullopt;
      }
    }
  }
  return type;
}

std::unexpected<Error> Unknown(std::string_view name, std::span<const ArgumentType> arguments,
                               bool ambiguous) {
  const std::string signature = Signature(name, arguments);
  Error error(ErrorCode::kSqlUnknownFunction,
              ambiguous ? fmt::format("function is not unique: {}", signature)
                        : fmt::format("function does not exist: {}", signature));
  if (IsFunctionName(name)) {
    return Err(error.WithHint(ambiguous ? "add explicit casts" : OverloadHint(name)));
  }
  const auto nearest = NearestName(name, FunctionNames());
  return Err(nearest.empty() ? error : error.WithHint("did you mean " + nearest + "?"));
}

}  // namespace

Result<ResolvedFunction> ResolveFunction(std::string_view name,
                                         std::span<const ArgumentType> arguments) {
  std::vector<Candidate> candidates = BestMatches(name, arguments);
  if (!IsExact(candidates, arguments.size())) {
    auto aligned = BestMatches(name, Aligned(arguments));
    if (IsExact(aligned, arguments.size())) {
      candidates = std::move(aligned);
    }
  }
  if (candidates.size() != 1) {
    return Unknown(name, arguments, !candidates.empty());
  }
  ResolvedFunction resolved{.function = candidates.front().function, .arguments = {}};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const TypeId parameter = ParameterAt(*resolved.function, i);
    if (parameter == TypeId::kArray) {
      const auto array = ArrayType(*resolved.function, arguments);
      if (!array) {
        return Unknown(name, arguments, false);
      }
      resolved.arguments.push_back(*array);
    } else if (parameter != TypeId::kNumeric) {
      resolved.arguments.push_back(DataType::Of(parameter));
    } else {
      resolved.arguments.push_back(arguments[i] ? NumericTypeOf(*arguments[i])
                                                : DataType::Numeric());
    }
  }
  return resolved;
}

std::span<const ScalarFunction> AllFunctions() { return Registry(); }

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names;
  for (const ScalarFunction& function : Registry()) {
    if (names.empty() || names.back() != function.name) {
      names.push_back(function.name);
    }
  }
  return names;
}

bool IsFunctionName(std::string_view name) { return !Overloads(name).empty(); }

const ScalarFunction& GetFunction(std::string_view name, std::span<const TypeId> arguments) {
  for (const ScalarFunction& function : Overloads(name)) {
    if (std::equal(arguments.begin(), arguments.end(), function.arguments.begin(),
                   function.arguments.end())) {
      return function;
    }
  }
  MR_CHECK(false, "no overload of {} over {} arguments", name, arguments.size());
}

Result<Prepared> PrepareCall(const ScalarFunction& function,
                             std::span<const ExpressionPtr> arguments) {
  if (function.prepare == nullptr) {
    return nullptr;
  }
  std::vector<const Value*> literals;
  for (const ExpressionPtr& argument : arguments) {
    const bool known = argument->is_literal() && !argument->literal.is_null();
    literals.push_back(known ? &argument->literal : nullptr);
  }
  return function.prepare(literals);
}

std::optional<DataType> CommonType(const DataType& a, const DataType& b) {
  if (a == b) {
    return a;
  }
  if (a.is_number() && b.is_number()) {
    const bool floating = a.id == TypeId::kFloat32 || a.id == TypeId::kFloat64 ||
                          b.id == TypeId::kFloat32 || b.id == TypeId::kFloat64;
    if (floating) {
      return DataType::Of(TypeId::kFloat64);
    }
    if (a.is_integer() && b.is_integer()) {
      return a.id > b.id ? a : b;
    }
    return UnionType(NumericTypeOf(a), NumericTypeOf(b));
  }
  if (a.is_array() && b.is_array()) {
    const auto element = CommonType(a.element_type(), b.element_type());
    return element ? std::optional(DataType::Array(*element)) : std::nullopt;
  }
  if (CanCast(a, b, CastContext::kImplicit)) {
    return b;
  }
  if (CanCast(b, a, CastContext::kImplicit)) {
    return a;
  }
  return std::nullopt;
}

}  // namespace millrace
