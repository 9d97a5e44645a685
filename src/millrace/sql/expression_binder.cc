#include "millrace/sql/expression_binder.h"

#include <array>

#include <fmt/format.h>

#include "millrace/data/text_format.h"
#include "millrace/expr/casts.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/sql/type_binder.h"

namespace millrace::internal {

namespace {

using Kind = Expression::Kind;

const DataType kBool = DataType::Of(TypeId::kBoolean);

Bound<ExpressionPtr> NumberLiteral(const std::string& digits, int offset) {
  int64_t integer = 0;
  if (ScanInteger(digits, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                  integer) == ScanOutcome::kOk) {
    return MakeLiteral(Value(integer), DataType::Of(TypeId::kInt64));
  }
  const size_t point = digits.find('.');
  const size_t exponent = digits.find_first_of("eE");
  const size_t end = std::min(exponent, digits.size());
  size_t scale = point == std::string::npos ? 0 : end - point - 1;
  scale = exponent == std::string::npos ? scale : DataType::kNumericScaleDefault;
  scale = std::min<size_t>(scale, DataType::kNumericPrecisionMax);
  DataType type = DataType::Numeric(DataType::kNumericPrecisionMax, static_cast<uint8_t>(scale));
  auto value = ParseValue(digits, type);
  double approximate = 0;
  if (!value && exponent != std::string::npos &&
      ScanDouble(digits, approximate) == ScanOutcome::kOk) {
    return MakeLiteral(Value(approximate), DataType::Of(TypeId::kFloat64));
  }
  if (!value) {
    return ErrAt(offset, ErrorCode::kSqlInvalidLiteral, value.error().message(),
                 "numeric has at most 38 digits");
  }
  const std::string text = FormatNumeric(value->Get<Int128>(), type.scale);
  const bool negative = text.front() == '-';
  const size_t count = text.size() - (negative ? 1 : 0) - (scale > 0 ? 1 : 0);
  type.precision = static_cast<uint8_t>(std::max(count, scale));
  return MakeLiteral(*std::move(value), type);
}

}  // namespace

int ExpressionBinder::OffsetOf(const Expression& expression) const {
  const auto at = offsets_.find(&expression);
  return at == offsets_.end() ? -1 : at->second;
}

Bound<ExpressionPtr> ExpressionBinder::Bind(const TreeNode& node, const Rules& rules) {
  rules_ = rules;
  MR_ASSIGN(Piece piece, BindPiece(node));
  return piece.untyped ? Coerce(piece, DataType::Of(TypeId::kText), CastContext::kImplicit)
                       : Bound<ExpressionPtr>(piece.expression);
}

Bound<ExpressionPtr> ExpressionBinder::BindAs(const TreeNode& node, const DataType& type,
                                              const Rules& rules) {
  rules_ = rules;
  MR_ASSIGN(const Piece piece, BindPiece(node));
  return Coerce(piece, type, CastContext::kImplicit);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindPiece(const TreeNode& node) {
  if (depth_ >= kDepthMax) {
    return ErrAt(node.offset(), ErrorCode::kSqlTooLarge,
                 fmt::format("an expression is nested deeper than {}", kDepthMax));
  }
  ++depth_;
  Bound<Piece> piece = BindKind(node);
  --depth_;
  if (!piece) {
    return piece;
  }
  piece->offset = node.offset() >= 0 ? node.offset() : piece->offset;
  kept_.push_back(piece->expression);
  offsets_.emplace(piece->expression.get(), piece->offset);
  return piece;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindKind(const TreeNode& node) {
  using Binder = Bound<Piece> (ExpressionBinder::*)(const TreeNode&);
  constexpr std::pair<std::string_view, Binder> kBinders[] = {
      {"A_ArrayExpr", &ExpressionBinder::BindArray},
      {"A_Const", &ExpressionBinder::BindConstant},
      {"A_Expr", &ExpressionBinder::BindOperator},
      {"A_Indirection", &ExpressionBinder::BindSubscript},
      {"BoolExpr", &ExpressionBinder::BindBoolean},
      {"BooleanTest", &ExpressionBinder::BindBooleanTest},
      {"CaseExpr", &ExpressionBinder::BindCase},
      {"CoalesceExpr", &ExpressionBinder::BindCoalesce},
      {"ColumnRef", &ExpressionBinder::BindColumn},
      {"FuncCall", &ExpressionBinder::BindFunction},
      {"MinMaxExpr", &ExpressionBinder::BindMinMax},
      {"NullTest", &ExpressionBinder::BindNullTest},
      {"SQLValueFunction", &ExpressionBinder::BindValueFunction},
      {"TypeCast", &ExpressionBinder::BindCast},
  };
  for (const auto& [kind, binder] : kBinders) {
    if (node.Is(kind)) {
      return (this->*binder)(node);
    }
  }
  return Unsupported(node.offset(), DescribeKind(node.kind()));
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindConstant(const TreeNode& node) {
  const int offset = node.offset();
  if (node.Flag("isnull")) {
    return Piece{MakeLiteral(Value(), DataType::Of(TypeId::kText)), true, offset};
  }
  if (node.Has("boolval")) {
    return Piece{MakeLiteral(Value(node.Bare("boolval").Flag("boolval")), kBool), false, offset};
  }
  if (node.Has("sval")) {
    return Piece{MakeLiteral(Value(node.Bare("sval").Text("sval")), DataType::Of(TypeId::kText)),
                 true, offset};
  }
  if (node.Has("ival")) {
    const int64_t shown = node.Bare("ival").Integer("ival");
    const int64_t value = shown != 0 ? shown : script_.IntegerAt(offset);
    return Piece{MakeLiteral(Value(value), DataType::Of(TypeId::kInt32)), false, offset};
  }
  if (node.Has("fval")) {
    MR_ASSIGN(ExpressionPtr literal, NumberLiteral(node.Bare("fval").Text("fval"), offset));
    return Piece{std::move(literal), false, offset};
  }
  return Unsupported(offset, "a bit string");
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindColumn(const TreeNode& node) {
  const auto fields = node.List("fields");
  const auto names = node.Names("fields");
  if (fields.size() > 2 || !fields.back().Is("String")) {
    return Unsupported(node.offset(),
                       fields.back().Is("A_Star") ? "* in an expression" : "a schema name");
  }
  const std::string qualifier = names.size() == 2 ? names[0] : "";
  MR_ASSIGN(const size_t column, scope_.Find(qualifier, names.back(), node.offset()));
  const Field& field = scope_.entry(column).field;
  return Piece{MakeColumn(column, field.type, field.nullable), false, node.offset()};
}

Bound<ExpressionPtr> ExpressionBinder::BindCondition(const TreeNode& node, std::string_view what) {
  MR_ASSIGN(const Piece piece, BindPiece(node));
  if (!piece.untyped && piece.expression->type != kBool) {
    return ErrAt(
        piece.offset, ErrorCode::kSqlTypeMismatch,
        fmt::format("{} must be boolean, not {}", what, piece.expression->type.ToString()));
  }
  return Coerce(piece, kBool, CastContext::kImplicit);
}

Bound<std::vector<ExpressionBinder::Piece>> ExpressionBinder::BindPieces(
    const std::vector<TreeNode>& nodes) {
  std::vector<Piece> pieces;
  for (const TreeNode& node : nodes) {
    MR_ASSIGN(Piece piece, BindPiece(node));
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindBoolean(const TreeNode& node) {
  const std::string op = node.Text("boolop");
  const Kind kind = op == "AND_EXPR" ? Kind::kAnd : op == "OR_EXPR" ? Kind::kOr : Kind::kNot;
  const std::string what = fmt::format("the argument of {}", op.substr(0, op.find('_')));
  std::vector<ExpressionPtr> arguments;
  for (const TreeNode& argument : node.List("args")) {
    MR_ASSIGN(ExpressionPtr condition, BindCondition(argument, what));
    arguments.push_back(std::move(condition));
  }
  return Piece{MakeBoolean(kind, std::move(arguments)), false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindNullTest(const TreeNode& node) {
  const Kind kind = node.Text("nulltesttype") == "IS_NULL" ? Kind::kIsNull : Kind::kIsNotNull;
  MR_ASSIGN(const Piece piece, BindPiece(node.Child("arg")));
  return Piece{MakeBoolean(kind, {piece.expression}), false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindBooleanTest(const TreeNode& node) {
  const std::string test = node.Text("booltesttype");
  MR_ASSIGN(ExpressionPtr argument, BindCondition(node.Child("arg"), "the argument of IS"));
  if (test.ends_with("UNKNOWN")) {
    const Kind kind = test == "IS_UNKNOWN" ? Kind::kIsNull : Kind::kIsNotNull;
    return Piece{MakeBoolean(kind, {std::move(argument)}), false, node.offset()};
  }
  const bool wanted = test.ends_with("TRUE");
  const std::string name = test.starts_with("IS_NOT") ? "IS DISTINCT FROM" : "IS NOT DISTINCT FROM";
  const Piece left{std::move(argument), false, node.offset()};
  const Piece right{MakeLiteral(Value(wanted), kBool), false, node.offset()};
  return Call(name, {left, right}, node.offset());
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindCase(const TreeNode& node) {
  std::optional<Piece> subject;
  if (node.Has("arg")) {
    MR_ASSIGN(subject, BindPiece(node.Child("arg")));
  }
  std::vector<ExpressionPtr> conditions;
  std::vector<Piece> values;
  for (const TreeNode& when : node.List("args")) {
    if (subject) {
      MR_ASSIGN(const Piece match, BindPiece(when.Child("expr")));
      MR_ASSIGN(const Piece equal, Call("=", {*subject, match}, match.offset));
      conditions.push_back(equal.expression);
    } else {
      MR_ASSIGN(ExpressionPtr condition,
                BindCondition(when.Child("expr"), "the condition of CASE"));
      conditions.push_back(std::move(condition));
    }
    MR_ASSIGN(Piece value, BindPiece(when.Child("result")));
    values.push_back(std::move(value));
  }
  Piece otherwise{MakeLiteral(Value(), DataType::Of(TypeId::kText)), true, node.offset()};
  if (node.Has("defresult")) {
    MR_ASSIGN(otherwise, BindPiece(node.Child("defresult")));
  }
  values.push_back(std::move(otherwise));
  MR_ASSIGN(auto unified, Unify(values, "CASE"));
  std::vector<ExpressionPtr> arguments;
  for (size_t i = 0; i < conditions.size(); ++i) {
    arguments.push_back(conditions[i]);
    arguments.push_back(unified[i]);
  }
  const DataType type = unified.back()->type;
  arguments.push_back(unified.back());
  return Piece{MakeBranches(Kind::kCase, std::move(arguments), type), false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindCoalesce(const TreeNode& node) {
  MR_ASSIGN(const auto pieces, BindPieces(node.List("args")));
  MR_ASSIGN(auto unified, Unify(pieces, "COALESCE"));
  const DataType type = unified.front()->type;
  return Piece{MakeBranches(Kind::kCoalesce, std::move(unified), type), false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindMinMax(const TreeNode& node) {
  const std::string name = node.Text("op") == "IS_LEAST" ? "least" : "greatest";
  MR_ASSIGN(const auto pieces, BindPieces(node.List("args")));
  MR_ASSIGN(auto unified, Unify(pieces, name == "least" ? "LEAST" : "GREATEST"));
  std::vector<Piece> typed;
  typed.reserve(unified.size());
  for (size_t i = 0; i < unified.size(); ++i) {
    typed.push_back({unified[i], false, pieces[i].offset});
  }
  return Call(name, typed, node.offset());
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindCast(const TreeNode& node) {
  MR_ASSIGN(const DataType type, BindType(node.Bare("typeName"), node.offset()));
  const TreeNode argument = node.Child("arg");
  const bool is_empty_array = argument.Is("A_ArrayExpr") && argument.List("elements").empty();
  const Piece empty{MakeLiteral(Value(std::string("{}")), DataType::Of(TypeId::kText)), true,
                    argument.offset()};
  MR_ASSIGN(const Piece piece, is_empty_array ? Bound<Piece>(empty) : BindPiece(argument));
  MR_ASSIGN(ExpressionPtr cast, Coerce(piece, type, CastContext::kExplicit));
  const int offset = node.offset() >= 0 ? node.offset() : piece.offset;
  return Piece{std::move(cast), false, offset};
}

}  // namespace millrace::internal
