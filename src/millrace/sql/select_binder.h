#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "millrace/plan/plan_node.h"
#include "millrace/plan/query_definition.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/relations.h"
#include "millrace/sql/scope.h"
#include "millrace/sql/script.h"

namespace millrace::internal {

/// What the view around a query decides for its aggregation.
struct SelectOptions {
  bool emit_final = false;
  Micros grace = 0;
  std::optional<Micros> default_window_size;  ///< See CompileOptions.
  bool is_view = false;                       ///< Its columns are a view's: all names differ.
  bool is_query = false;                      ///< It runs once: ORDER BY and LIMIT belong to it.
  std::optional<Micros> now;                  ///< What now() gives, in such a query.
};

/// Binds one SelectStmt to a plan. Lives for one statement; not thread-safe.
class SelectBinder final {
 public:
  static constexpr int kSubqueriesMax = 32;
  /// Of what FROM names, put in one place for each time it is named.
  static constexpr size_t kNodesMax = 10'000;

  SelectBinder(const Script& script, Relations& relations, const SelectOptions& options)
      : script_(script), relations_(relations), options_(options) {}

  /// Errors: any 2xxx code, at the offset of what is wrong. `offset`: of the statement.
  Bound<PlanPtr> Bind(const TreeNode& select, int offset);

  /// What the outermost query says besides its plan; only with is_query.
  struct Ordering {
    size_t columns = 0;  ///< As in QueryDefinition.
    std::vector<SortKey> keys;
    std::optional<uint64_t> limit;
    uint64_t offset = 0;
  };
  const Ordering& ordering() const { return ordering_; }

 private:
  /// FROM and WHERE: a plan and what its columns are called.
  struct Source {
    PlanPtr plan;
    Scope scope;
  };
  /// One output column.
  struct Item {
    TreeNode node;
    std::string name;
    ExpressionPtr expression;
  };

  // select_binder.cc
  Bound<PlanPtr> BindSelect(const TreeNode& select, int offset);
  Bound<PlanPtr> BindDistinct(const PlanPtr& plan, int offset);
  /// The names of the output columns. Of a view two may not be the same; elsewhere each of those
  /// gets its number, but that of a query's first, so that none is found by the name alone.
  Bound<std::vector<std::string>> NamesOf(const std::vector<Item>& items) const;

  // order_binder.cc
  bool IsOutermostQuery() const { return options_.is_query && depth_ == 1; }
  /// Binds ORDER BY, adding what it needs besides the select list to `items`.
  Bound<void> BindOrder(const TreeNode& select, ExpressionBinder& binder, std::vector<Item>& items);
  /// The same of a UNION, which has only names.
  Bound<void> BindOrder(const TreeNode& select, const Schema& schema);
  Bound<void> BindLimit(const TreeNode& select);
  Bound<std::optional<uint64_t>> BindCount(const TreeNode& node, std::string_view clause);

  // set_binder.cc
  Bound<PlanPtr> BindUnion(const TreeNode& select, int offset);
  Bound<void> BindWith(const TreeNode& with, int offset);
  /// What a name in FROM means: a query of WITH, or a relation of the project.
  Bound<PlanPtr> Resolve(const std::string& name, int offset);

  // join_binder.cc
  Bound<Source> BindFrom(const TreeNode& select, int offset);
  Bound<Source> BindJoin(const TreeNode& node, int offset);
  static Bound<Source> JoinSources(Source left, Source right, JoinNode join);

  // as_of_binder.cc
  static bool IsAsOf(const TreeNode& range);
  /// The versions of a table's rows, and in `join` how they are joined.
  Bound<Source> BindAsOf(const TreeNode& range, const Source& left, JoinNode& join);
  static Bound<size_t> BindAsOfTime(const TreeNode& node, const Source& left, int offset);
  /// Checks what the conditions have made of such a join.
  static Bound<void> FinishAsOf(Source& joined, int offset);

  // from_binder.cc
  Bound<Source> BindRange(const TreeNode& range, int offset);
  Bound<Source> BindRelation(const TreeNode& range, int offset);
  Bound<Source> BindTableFunction(const TreeNode& range, int offset);
  static Bound<size_t> BindWindowTime(const TreeNode& node, const PlanNode& input,
                                      const std::string& relation, const std::string& function);
  Bound<Source> BindWindow(const TreeNode& call, const std::string& alias, int offset);
  Bound<Source> BindSubquery(const TreeNode& range, int offset);
  Bound<std::string> BindAlias(const TreeNode& range, const std::string& otherwise, int offset);
  Bound<Micros> BindWindowSize(const TreeNode& node, std::string_view function);
  Bound<std::vector<Item>> BindTargets(const TreeNode& select, const Scope& scope,
                                       ExpressionBinder& binder, int offset);
  Bound<void> AppendStar(const TreeNode& target, const Scope& scope, std::vector<Item>& items);
  Bound<std::vector<ExpressionPtr>> BindGroups(const TreeNode& select, const Scope& scope,
                                               const std::vector<Item>& items,
                                               ExpressionBinder& binder, size_t aggregates);

  const Script& script_;
  Relations& relations_;
  SelectOptions options_;
  int depth_ = 0;
  int naming_depth_ = 1;  ///< Where a SELECT names the statement's columns; 0: that is done.
  Ordering ordering_;
  size_t nodes_ = 0;
  std::map<std::string, PlanPtr> named_queries_;  ///< Of WITH, of this query and those around it.
};

/// The name PostgreSQL gives an output column without AS.
std::string OutputName(const TreeNode& expression);

}  // namespace millrace::internal
