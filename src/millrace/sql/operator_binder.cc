#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "millrace/sql/expression_binder.h"

namespace millrace::internal {

namespace {

using Kind = Expression::Kind;

}  // namespace

Bound<ExpressionBinder::Piece> ExpressionBinder::BindOperator(const TreeNode& node) {
  const auto names = node.Names("name");
  if (names.size() != 1) {
    return Unsupported(node.offset(), "a schema name before an operator");
  }
  const std::string kind = node.Text("kind");
  if (kind == "AEXPR_OP" || kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") {
    return BindSymbol(node, names[0]);
  }
  if (kind == "AEXPR_DISTINCT") {
    return BindSymbol(node, "IS DISTINCT FROM");
  }
  if (kind == "AEXPR_NOT_DISTINCT") {
    return BindSymbol(node, "IS NOT DISTINCT FROM");
  }
  if (kind == "AEXPR_IN") {
    return BindIn(node, names[0] == "<>");
  }
  if (kind == "AEXPR_NULLIF") {
    return BindNullIf(node);
  }
  if (kind.find("BETWEEN") != std::string::npos) {
    return BindBetween(node, kind.find("NOT") != std::string::npos, kind.ends_with("_SYM"));
  }
  if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL") {
    return BindAny(node, names[0]);
  }
  return Unsupported(node.offset(), kind == "AEXPR_SIMILAR" ? "SIMILAR TO" : kind);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindSymbol(const TreeNode& node,
                                                            const std::string& name) {
  std::vector<Piece> operands;
  for (const std::string_view side : {"lexpr", "rexpr"}) {
    if (node.Has(side)) {
      const TreeNode operand = node.Child(side);
      if (operand.Is("List")) {
        return Unsupported(node.offset(), "ROW");
      }
      MR_ASSIGN(Piece piece, BindPiece(operand));
      operands.push_back(std::move(piece));
    }
  }
  return CallByName(name == "!=" ? "<>" : name, std::move(operands), node.offset());
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindBetween(const TreeNode& node, bool negated,
                                                             bool symmetric) {
  const auto bounds = node.Child("rexpr").List("items");
  MR_ASSIGN(const Piece value, BindPiece(node.Child("lexpr")));
  MR_ASSIGN(const Piece low, BindPiece(bounds[0]));
  MR_ASSIGN(const Piece high, BindPiece(bounds[1]));
  const auto between = [&](const Piece& from, const Piece& to) -> Bound<ExpressionPtr> {
    MR_ASSIGN(const Piece above, Call(negated ? "<" : ">=", {value, from}, node.offset()));
    MR_ASSIGN(const Piece below, Call(negated ? ">" : "<=", {value, to}, node.offset()));
    return MakeBoolean(negated ? Kind::kOr : Kind::kAnd, {above.expression, below.expression});
  };
  MR_ASSIGN(ExpressionPtr result, between(low, high));
  if (symmetric) {
    MR_ASSIGN(ExpressionPtr other, between(high, low));
    result = MakeBoolean(negated ? Kind::kAnd : Kind::kOr, {std::move(result), std::move(other)});
  }
  return Piece{std::move(result), false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindIn(const TreeNode& node, bool negated) {
  MR_ASSIGN(const Piece value, BindPiece(node.Child("lexpr")));
  MR_ASSIGN(std::vector<Piece> pieces, BindPieces(node.Child("rexpr").List("items")));
  pieces.insert(pieces.begin(), value);
  MR_ASSIGN(auto arguments, Unify(pieces, "IN"));
  const TypeId type = arguments.front()->type.id;
  // Only types with an operator = can be compared.
  MR_TRY(At(node.offset(), ResolveFunction("=", std::array{ArgumentType(DataType::Of(type)),
                                                           ArgumentType(DataType::Of(type))})));
  ExpressionPtr in = MakeBoolean(Kind::kInList, std::move(arguments));
  return Piece{negated ? MakeBoolean(Kind::kNot, {in}) : in, false, node.offset()};
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindNullIf(const TreeNode& node) {
  MR_ASSIGN(const Piece left, BindPiece(node.Child("lexpr")));
  MR_ASSIGN(const Piece right, BindPiece(node.Child("rexpr")));
  MR_ASSIGN(const Piece equal, Call("=", {left, right}, node.offset()));
  MR_ASSIGN(const DataType type, UnifiedType({left}, "NULLIF"));
  MR_ASSIGN(ExpressionPtr value, Coerce(left, type, CastContext::kImplicit));
  return Piece{MakeBranches(Kind::kCase,
                            {equal.expression, MakeLiteral(Value(), type), std::move(value)}, type),
               false, node.offset()};
}

}  // namespace millrace::internal
