#include <algorithm>
#include <array>

#include "millrace/expr/calendar.h"
#include "millrace/sql/expression_binder.h"

namespace millrace::internal {

namespace {

const DataType kTextType = DataType::Of(TypeId::kText);

/// The digits behind the point that a field of extract can have.
uint8_t FieldScale(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kEpoch:
    case TimeUnit::kSecond:
      return 6;
    case TimeUnit::kMilliseconds:
      return 3;
    default:
      return 0;
  }
}

}  // namespace

Bound<ExpressionBinder::Piece> ExpressionBinder::BindExtract(const std::vector<Piece>& arguments,
                                                             int offset) {
  MR_ASSIGN(Piece call, Call("extract", arguments, offset));
  const Value& field = arguments.front().expression->literal;
  if (!arguments.front().untyped || field.is_null()) {
    return call;
  }
  const auto unit = ParseTimeUnit(field.Get<std::string>());
  if (!unit) {
    return ErrAt(arguments.front().offset, ErrorCode::kSqlInvalidLiteral,
                 "unit not recognised: " + field.Get<std::string>(),
                 "for example hour, day, month, epoch");
  }
  call.expression = MakeCast(call.expression,
                             DataType::Numeric(DataType::kNumericPrecisionMax, FieldScale(*unit)));
  return call;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindText(const std::string& name,
                                                          std::vector<Piece> arguments,
                                                          int offset) {
  for (Piece& piece : arguments) {
    if (!piece.untyped) {
      MR_ASSIGN(piece.expression, Coerce(piece, kTextType, CastContext::kExplicit));
    }
  }
  return Call(name, arguments, offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindRound(const std::string& name,
                                                           const std::vector<Piece>& arguments,
                                                           int offset) {
  MR_ASSIGN(Piece call, Call(name, arguments, offset));
  const ExpressionPtr& bound = call.expression;
  if (bound->type.id != TypeId::kNumeric || bound->arguments.size() != 2 ||
      !bound->arguments[1]->is_literal() || bound->arguments[1]->literal.is_null()) {
    return call;
  }
  // Where the digits are known, the result has just that scale, as PostgreSQL shows it.
  const int64_t digits = std::max<int64_t>(bound->arguments[1]->literal.Get<int64_t>(), 0);
  if (digits < bound->type.scale) {
    const auto precision = static_cast<uint8_t>(bound->type.precision - bound->type.scale + digits);
    call.expression = MakeCast(
        bound, DataType::Numeric(std::max<uint8_t>(precision, 1), static_cast<uint8_t>(digits)));
  }
  return call;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::CallByName(const std::string& name,
                                                            std::vector<Piece> arguments,
                                                            int offset) {
  if (name == "extract" && arguments.size() == 2) {
    return BindExtract(arguments, offset);
  }
  if (name == "round" || name == "trunc") {
    return BindRound(name, arguments, offset);
  }
  const bool any_text = std::ranges::any_of(arguments, [](const Piece& piece) {
    return piece.untyped || piece.expression->type.id == TypeId::kText;
  });
  if (name == "concat" || (name == "||" && any_text)) {
    return BindText(name, std::move(arguments), offset);
  }
  return Call(name, arguments, offset);
}

}  // namespace millrace::internal
