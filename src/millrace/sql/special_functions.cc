#include <algorithm>
#include <array>
#include <utility>

#include "millrace/expr/calendar.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/missing_functions.h"

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

Bound<ExpressionBinder::Piece> ExpressionBinder::BindMoment(const std::string& name,
                                                            int offset) const {
  if (VolatilityOf(name) == Volatility::kMoment && rules_.now) {
    return Piece{MakeLiteral(Value(*rules_.now), DataType::Of(TypeId::kTimestamptz)), false,
                 offset};
  }
  const std::string shown = name.find(' ') == std::string::npos ? name + "()" : name;
  return Unsupported(offset, rules_.now ? shown : shown + " in a view",
                     rules_.now ? ""
                                : "a view gives the same rows at any time; use the event-time "
                                  "column");
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindValueFunction(const TreeNode& node) {
  const std::string op = node.Text("op");
  if (op == "SVFOP_CURRENT_TIMESTAMP") {
    return BindMoment("now", node.offset());
  }
  if (op == "SVFOP_CURRENT_DATE") {
    MR_ASSIGN(Piece now, BindMoment("now", node.offset()));
    now.expression = FoldConstants(MakeCast(now.expression, DataType::Of(TypeId::kDate)));
    return now;
  }
  constexpr std::string_view kPrefix = "SVFOP_";
  std::string name = op.substr(std::min(op.size(), kPrefix.size()));
  return Unsupported(node.offset(), name);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindAge(Piece argument, int offset) {
  if (!rules_.now) {
    return BindMoment("age of one argument", offset);
  }
  const Piece now{MakeLiteral(Value(*rules_.now), DataType::Of(TypeId::kTimestamptz)), false,
                  offset};
  const Piece unit{MakeLiteral(Value(std::string("day")), kTextType), true, offset};
  MR_ASSIGN(Piece today, Call("date_trunc", {unit, now}, offset));
  return Call("age", {today, std::move(argument)}, offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindMakeInterval(const TreeNode& node) {
  constexpr std::string_view kNames[] = {"years", "months", "weeks", "days",
                                         "hours", "mins",   "secs"};
  const Piece zero{MakeLiteral(Value(int64_t{0}), DataType::Of(TypeId::kInt32)), false,
                   node.offset()};
  std::vector<Piece> arguments(std::size(kNames), zero);
  size_t next = 0;
  for (const TreeNode& argument : node.List("args")) {
    const bool named = argument.Is("NamedArgExpr");
    const std::string name = argument.Text("name");
    const auto* at = named ? std::ranges::find(kNames, name) : kNames + next;
    if (at >= std::end(kNames)) {
      return ErrAt(argument.offset(), ErrorCode::kSqlUnknownFunction,
                   "make_interval has no such argument: " + name,
                   "years, months, weeks, days, hours, mins and secs");
    }
    MR_ASSIGN(arguments[static_cast<size_t>(at - kNames)],
              BindPiece(named ? argument.Child("arg") : argument));
    ++next;
  }
  return Call("make_interval", arguments, node.offset());
}

Bound<void> ExpressionBinder::CastToText(Piece& piece) const {
  if (!piece.untyped) {
    MR_ASSIGN(piece.expression, Coerce(piece, kTextType, CastContext::kExplicit));
  }
  return {};
}

Bound<std::vector<ExpressionBinder::Piece>> ExpressionBinder::AsOutput(std::vector<Piece> arguments,
                                                                       size_t kept) const {
  for (size_t i = kept; i < arguments.size(); ++i) {
    Piece& piece = arguments[i];
    if (piece.untyped) {
      continue;
    }
    if (piece.expression->type.id == TypeId::kBoolean) {
      // The cast to text would give true and false.
      const auto text = [](const char* value) {
        return MakeLiteral(value == nullptr ? Value() : Value(std::string(value)), kTextType);
      };
      ExpressionPtr negated = MakeBoolean(Expression::Kind::kNot, {piece.expression});
      piece.expression = FoldConstants(MakeBranches(
          Expression::Kind::kCase,
          {piece.expression, text("t"), std::move(negated), text("f"), text(nullptr)}, kTextType));
      continue;
    }
    MR_TRY(CastToText(piece));
  }
  return arguments;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindJoin(std::vector<Piece> arguments,
                                                          int offset) {
  if (arguments.size() == 2 && (IsArray(arguments[0]) || IsArray(arguments[1]))) {
    const size_t element = IsArray(arguments[0]) ? 1 : 0;
    if (!IsArray(arguments[element]) && !arguments[element].untyped) {
      MR_ASSIGN(arguments[element], AsArray(arguments[element], arguments[1 - element]));
    }
    return Call("||", arguments, offset);
  }
  const auto is = [&](TypeId type) {
    return std::ranges::any_of(arguments, [type](const Piece& piece) {
      return !piece.untyped && piece.expression->type.id == type;
    });
  };
  const bool untyped =
      std::ranges::any_of(arguments, [](const Piece& piece) { return piece.untyped; });
  const bool own = is(TypeId::kBytea) || is(TypeId::kJsonb);
  if (is(TypeId::kText) || (untyped && !own)) {
    for (Piece& piece : arguments) {
      MR_TRY(CastToText(piece));
    }
  }
  return Call("||", arguments, offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindJsonBuild(const std::string& name,
                                                               std::vector<Piece> arguments,
                                                               int offset) {
  const bool object = name == "jsonb_build_object";
  if (object && arguments.size() % 2 != 0) {
    return ErrAt(offset, ErrorCode::kSqlUnknownFunction,
                 "jsonb_build_object needs an even number of arguments", "keys and values in turn");
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    Piece& piece = arguments[i];
    const bool key = object && i % 2 == 0;
    if (key && !piece.untyped && piece.expression->type.id == TypeId::kJsonb) {
      return ErrAt(piece.offset, ErrorCode::kSqlTypeMismatch, "a key must not be jsonb",
                   "take its text with ->> or #>>");
    }
    if (key) {
      MR_TRY(CastToText(piece));
    }
    const int at = piece.offset;
    MR_ASSIGN(piece, Call("to_jsonb", {piece}, at));
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
  constexpr std::string_view kTakingElement[] = {"array_append", "array_prepend", "array_position",
                                                 "array_remove"};
  if (std::ranges::find(kTakingElement, name) != std::end(kTakingElement)) {
    return BindElementCall(name, std::move(arguments), offset);
  }
  if (name == "round" || name == "trunc") {
    return BindRound(name, arguments, offset);
  }
  if (name == "||") {
    return BindJoin(std::move(arguments), offset);
  }
  constexpr std::pair<std::string_view, size_t> kTakingAnything[] = {
      {"concat", 0}, {"concat_ws", 1}, {"format", 1}};
  for (const auto& [each, kept] : kTakingAnything) {
    if (name == each) {
      MR_ASSIGN(arguments, AsOutput(std::move(arguments), kept));
    }
  }
  constexpr std::string_view kTakingTexts[] = {"?|", "?&", "#>", "#>>", "#-"};
  if (arguments.size() == 2 && IsArray(arguments[1]) &&
      std::ranges::find(kTakingTexts, name) != std::end(kTakingTexts)) {
    MR_TRY(CastToText(arguments[1]));
  }
  if (name == "jsonb_build_object" || name == "jsonb_build_array") {
    return BindJsonBuild(name, std::move(arguments), offset);
  }
  if ((name == "quote_literal" || name == "quote_nullable") && arguments.size() == 1) {
    MR_TRY(CastToText(arguments[0]));
  }
  return Call(name, arguments, offset);
}

}  // namespace millrace::internal
