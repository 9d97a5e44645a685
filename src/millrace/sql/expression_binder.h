#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/expr/casts.h"
#include "millrace/expr/expression.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/ordered_value.h"
#include "millrace/plan/plan_node.h"
#include "millrace/sql/scope.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"

namespace millrace::internal {

/// An aggregate call found in an expression.
struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCountRows;
  ExpressionPtr argument;  ///< Null for count(*).
  DataType result_type;
  bool distinct = false;
  std::string separator;  ///< Of string_agg.
};

/// Binds expressions of one query level: names to columns, calls to functions, with PostgreSQL's
/// implicit casts made explicit. Lives for one level; not thread-safe.
class ExpressionBinder final {
 public:
  /// Deeper expressions are kSqlTooLarge: binding and evaluation recurse.
  static constexpr int kDepthMax = 500;

  /// What an expression may contain besides columns of its scope.
  struct Rules {
    std::string_view clause;  ///< Where it stands, for messages, e.g. "WHERE".
    bool allow_aggregates = false;
    /// What now() gives, in statements that run once; a view has none, for it gives the same rows
    /// at any time.
    std::optional<Micros> now = std::nullopt;
  };

  ExpressionBinder(const Script& script, const Scope& scope) : script_(script), scope_(scope) {}

  /// Binds a whole expression. Aggregate calls become columns numbered from scope.size() on, in the
  /// order of aggregates().
  Bound<ExpressionPtr> Bind(const TreeNode& node, const Rules& rules);
  /// As Bind, cast to `type` if that happens implicitly.
  Bound<ExpressionPtr> BindAs(const TreeNode& node, const DataType& type, const Rules& rules);

  const std::vector<AggregateSpec>& aggregates() const { return aggregates_; }
  /// Where a bound (sub)expression stood in the text; -1 when unknown.
  int OffsetOf(const Expression& expression) const;

 private:
  /// A bound expression; a bare string or NULL has no type yet.
  struct Piece {
    ExpressionPtr expression;
    bool untyped = false;
    int offset = 0;
  };
  static bool IsArray(const Piece& piece) {
    return !piece.untyped && piece.expression->type.is_array();
  }

  // expression_binder.cc
  Bound<Piece> BindPiece(const TreeNode& node);
  Bound<Piece> BindKind(const TreeNode& node);
  Bound<Piece> BindConstant(const TreeNode& node);
  Bound<Piece> BindColumn(const TreeNode& node);
  Bound<Piece> BindBoolean(const TreeNode& node);
  Bound<Piece> BindNullTest(const TreeNode& node);
  Bound<Piece> BindBooleanTest(const TreeNode& node);
  Bound<Piece> BindCase(const TreeNode& node);
  Bound<Piece> BindCast(const TreeNode& node);
  Bound<Piece> BindCoalesce(const TreeNode& node);
  Bound<Piece> BindMinMax(const TreeNode& node);
  Bound<ExpressionPtr> BindCondition(const TreeNode& node, std::string_view what);
  Bound<std::vector<Piece>> BindPieces(const std::vector<TreeNode>& nodes);

  // operator_binder.cc
  Bound<Piece> BindOperator(const TreeNode& node);
  Bound<Piece> BindSymbol(const TreeNode& node, const std::string& name);
  Bound<Piece> BindBetween(const TreeNode& node, bool negated, bool symmetric);
  Bound<Piece> BindIn(const TreeNode& node, bool negated);
  Bound<Piece> BindNullIf(const TreeNode& node);

  // array_binder.cc
  Bound<Piece> BindArray(const TreeNode& node);
  Bound<Piece> BindSubscript(const TreeNode& node);
  Bound<Piece> BindAny(const TreeNode& node, const std::string& op);
  /// Makes an element of `array`'s type, in an array of its own.
  Bound<Piece> AsArray(const Piece& element, const Piece& array);
  /// A call of a function that takes an array, first or last, and an element.
  Bound<Piece> BindElementCall(const std::string& name, std::vector<Piece> arguments, int offset);

  // function_binder.cc
  Bound<Piece> BindFunction(const TreeNode& node);

  // aggregate_binder.cc
  Bound<Piece> BindAggregate(const TreeNode& node, const std::string& name);
  Bound<Piece> AddAggregate(AggregateSpec spec, int offset);
  Bound<std::vector<OrderKey>> BindAggregateOrder(const TreeNode& call);
  /// Makes the argument of first, last and of lists an ordered value.
  Bound<void> PutInOrder(AggregateSpec& spec, const std::vector<Piece>& arguments,
                         std::vector<OrderKey> keys, int offset);

  // special_functions.cc
  /// now() and its kin, by their function name, and random().
  Bound<Piece> BindMoment(const std::string& name, int offset) const;
  Bound<Piece> BindValueFunction(const TreeNode& node);
  /// age(x), which counts up to the begin of the present day.
  Bound<Piece> BindAge(Piece argument, int offset);
  /// make_interval(days => 3): what is not named is 0.
  Bound<Piece> BindMakeInterval(const TreeNode& node);
  /// Calls a function or operator by its SQL name; some need more than overloads can say.
  Bound<Piece> CallByName(const std::string& name, std::vector<Piece> arguments, int offset);
  Bound<Piece> BindExtract(const std::vector<Piece>& arguments, int offset);
  Bound<Piece> BindJoin(std::vector<Piece> arguments, int offset);
  /// jsonb_build_object and jsonb_build_array, over what to_jsonb makes of their arguments.
  Bound<Piece> BindJsonBuild(const std::string& name, std::vector<Piece> arguments, int offset);
  Bound<void> CastToText(Piece& piece) const;
  /// Makes all arguments but the first `kept` text, as output shows them.
  Bound<std::vector<Piece>> AsOutput(std::vector<Piece> arguments, size_t kept) const;
  Bound<Piece> BindRound(const std::string& name, const std::vector<Piece>& arguments, int offset);

  // coercion.cc
  /// Calls the function that fits; `offset` is for errors.
  Bound<Piece> Call(const std::string& name, const std::vector<Piece>& arguments, int offset);
  Bound<ExpressionPtr> Coerce(const Piece& piece, const DataType& type, CastContext context) const;
  /// The type that all pieces take in CASE, COALESCE and IN.
  Bound<DataType> UnifiedType(const std::vector<Piece>& pieces, std::string_view what) const;
  Bound<std::vector<ExpressionPtr>> Unify(const std::vector<Piece>& pieces,
                                          std::string_view what) const;

  const Script& script_;
  const Scope& scope_;
  Rules rules_;
  int depth_ = 0;
  bool in_aggregate_ = false;
  std::vector<AggregateSpec> aggregates_;
  std::vector<ExpressionPtr> kept_;  ///< So that addresses in offsets_ stay unique.
  std::unordered_map<const Expression*, int> offsets_;
};

}  // namespace millrace::internal
