// Arrays in expressions.

#include <fmt/format.h>

#include "millrace/sql/expression_binder.h"

namespace millrace::internal {

Bound<ExpressionBinder::Piece> ExpressionBinder::BindArray(const TreeNode& node) {
  const auto elements = node.List("elements");
  if (elements.empty()) {
    return ErrAt(node.offset(), ErrorCode::kSqlTypeMismatch,
                 "the type of an empty array is not known", "write the cast: ARRAY[]::bigint[]");
  }
  MR_ASSIGN(std::vector<Piece> pieces, BindPieces(elements));
  MR_ASSIGN(const auto unified, Unify(pieces, "ARRAY"));
  if (unified.front()->type.is_array()) {
    return Unsupported(node.offset(), "an array of more than one dimension", "use jsonb");
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    pieces[i] = {unified[i], false, pieces[i].offset};
  }
  return Call("ARRAY", pieces, node.offset());
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindSubscript(const TreeNode& node) {
  MR_ASSIGN(Piece value, BindPiece(node.Child("arg")));
  for (const TreeNode& step : node.List("indirection")) {
    if (!step.Is("A_Indices") || step.Flag("is_slice")) {
      return Unsupported(value.offset,
                         step.Is("A_Indices") ? "a slice of an array" : "a field of a value");
    }
    if (value.untyped || !IsArray(value)) {
      return ErrAt(
          value.offset, ErrorCode::kSqlTypeMismatch,
          fmt::format("only arrays have subscripts, not {}", value.expression->type.ToString()),
          "jsonb has ->");
    }
    MR_ASSIGN(Piece index, BindPiece(step.Child("uidx")));
    const int offset = index.offset;
    MR_ASSIGN(index.expression,
              Coerce(index, DataType::Of(TypeId::kInt32), CastContext::kAssignment));
    index.untyped = false;
    MR_ASSIGN(value, Call("[]", {value, index}, offset));
  }
  return value;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindAny(const TreeNode& node,
                                                         const std::string& op) {
  const bool is_all = node.Text("kind") == "AEXPR_OP_ALL";
  if (op != (is_all ? "<>" : "=")) {
    return Unsupported(node.offset(), fmt::format("{} {}", op, is_all ? "ALL" : "ANY"),
                       "= ANY and <> ALL are there");
  }
  MR_ASSIGN(const Piece value, BindPiece(node.Child("lexpr")));
  MR_ASSIGN(Piece array, BindPiece(node.Child("rexpr")));
  if (array.untyped && !value.untyped) {
    MR_ASSIGN(array.expression,
              Coerce(array, DataType::Array(value.expression->type), CastContext::kImplicit));
    array.untyped = false;
  }
  MR_ASSIGN(const Piece element, AsArray(value, array));
  MR_ASSIGN(Piece any, Call("= ANY", {element, array}, node.offset()));
  if (is_all) {
    any.expression = MakeBoolean(Expression::Kind::kNot, {any.expression});
  }
  return any;
}

Bound<ExpressionBinder::Piece> ExpressionBinder::AsArray(const Piece& element, const Piece& array) {
  if (!IsArray(array)) {
    return ErrAt(array.offset, ErrorCode::kSqlTypeMismatch,
                 fmt::format("an array is wanted, not {}", array.expression->type.ToString()));
  }
  const Piece any{MakeLiteral(Value(), array.expression->type.element_type()), false, array.offset};
  MR_ASSIGN(const DataType type, UnifiedType({any, element}, "the array and the element"));
  MR_ASSIGN(ExpressionPtr value, Coerce(element, type, CastContext::kImplicit));
  return Call("ARRAY", {Piece{std::move(value), false, element.offset}}, element.offset);
}

Bound<ExpressionBinder::Piece> ExpressionBinder::BindElementCall(const std::string& name,
                                                                 std::vector<Piece> arguments,
                                                                 int offset) {
  const size_t element = name == "array_prepend" ? 0 : 1;
  if (arguments.size() == 2) {
    MR_ASSIGN(arguments[element], AsArray(arguments[element], arguments[1 - element]));
  }
  return Call(name, arguments, offset);
}

}  // namespace millrace::internal
