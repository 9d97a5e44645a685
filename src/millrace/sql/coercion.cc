#include <algorithm>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/expr/numeric_type.h"
#include "millrace/sql/expression_binder.h"

namespace millrace::internal {

namespace {

/// A literal keeps its digits where the context only asks for some numeric.
DataType NumericTypeOfText(const std::string& text) {
  const size_t point = text.find('.');
  const bool plain = text.find_first_not_of("+-.0123456789") == std::string::npos;
  if (!plain || text.empty()) {
    return DataType::Numeric();
  }
  const size_t scale = point == std::string::npos ? 0 : text.size() - point - 1;
  const auto digits =
      static_cast<size_t>(std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }));
  const size_t precision = std::max<size_t>({digits, scale, 1});
  if (precision > DataType::kNumericPrecisionMax) {
    return DataType::Numeric();
  }
  return DataType::Numeric(static_cast<uint8_t>(precision), static_cast<uint8_t>(scale));
}

}  // namespace

Bound<ExpressionPtr> ExpressionBinder::Coerce(const Piece& piece, const DataType& type,
                                              CastContext context) const {
  if (!piece.untyped) {
    if (!CanCast(piece.expression->type, type, context)) {
      return ErrAt(piece.offset, ErrorCode::kSqlTypeMismatch,
                   fmt::format("{} cannot be cast to {}", piece.expression->type.ToString(),
                               type.ToString()),
                   CanCast(piece.expression->type, type, CastContext::kExplicit)
                       ? "write the cast: ...::" + type.ToString()
                       : "");
    }
    return FoldConstants(MakeCast(piece.expression, type));
  }
  const Value& literal = piece.expression->literal;
  if (literal.is_null()) {
    return MakeLiteral(Value(), type);
  }
  auto value = ParseValue(literal.Get<std::string>(), type);
  if (!value) {
    return ErrAt(piece.offset, ErrorCode::kSqlInvalidLiteral, value.error().message());
  }
  return MakeLiteral(*std::move(value), type);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::Call(const std::string& name,
                                                      const std::vector<Piece>& arguments,
                                                      int offset) {
  std::vector<ArgumentType> types;
  types.reserve(arguments.size());
  for (const Piece& piece : arguments) {
    types.push_back(piece.untyped ? std::nullopt : ArgumentType(piece.expression->type));
  }
  MR_ASSIGN(const ResolvedFunction resolved, At(offset, ResolveFunction(name, types)));
  std::vector<ExpressionPtr> casts;
  for (size_t i = 0; i < arguments.size(); ++i) {
    DataType type = resolved.arguments[i];
    const Expression& argument = *arguments[i].expression;
    if (arguments[i].untyped && type.id == TypeId::kNumeric && !argument.literal.is_null()) {
      type = NumericTypeOfText(argument.literal.Get<std::string>());
    }
    MR_ASSIGN(ExpressionPtr cast, Coerce(arguments[i], type, CastContext::kImplicit));
    casts.push_back(std::move(cast));
  }
  if (resolved.function->prepare != nullptr) {
    for (ExpressionPtr& cast : casts) {
      cast = FoldConstants(cast);
    }
    MR_TRY(At(offset, PrepareCall(*resolved.function, casts)));
  }
  return Piece{MakeCall(*resolved.function, std::move(casts)), false, offset};
}

Bound<DataType> ExpressionBinder::UnifiedType(const std::vector<Piece>& pieces,
                                              std::string_view what) const {
  std::optional<DataType> type;
  for (const Piece& piece : pieces) {
    if (piece.untyped) {
      continue;
    }
    const auto common =
        type ? CommonType(*type, piece.expression->type) : std::optional(piece.expression->type);
    if (!common) {
      return ErrAt(piece.offset, ErrorCode::kSqlTypeMismatch,
                   fmt::format("the types of {} do not fit: {} and {}", what, type->ToString(),
                               piece.expression->type.ToString()),
                   "cast one of them");
    }
    type = common;
  }
  return type.value_or(DataType::Of(TypeId::kText));
}

Bound<std::vector<ExpressionPtr>> ExpressionBinder::Unify(const std::vector<Piece>& pieces,
                                                          std::string_view what) const {
  MR_ASSIGN(const DataType type, UnifiedType(pieces, what));
  std::vector<ExpressionPtr> unified;
  for (const Piece& piece : pieces) {
    MR_ASSIGN(ExpressionPtr cast, Coerce(piece, type, CastContext::kImplicit));
    unified.push_back(std::move(cast));
  }
  return unified;
}

}  // namespace millrace::internal
