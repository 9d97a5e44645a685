#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "millrace/plan/definition_options.h"
#include "millrace/plan/definitions.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/relations.h"
#include "millrace/sql/script.h"
#include "millrace/sql/tree_node.h"
#include "millrace/sql/with_options.h"

namespace millrace::internal {

/// What the statements of a project define, bound when it is first needed, so that their order does
/// not matter. Collects errors instead of stopping at the first. Not thread-safe.
class Catalog final : public Relations {
 public:
  /// `options` and `errors` outlive the catalogue.
  Catalog(const CompileOptions& options, std::vector<ProjectError>& errors)
      : options_(options), errors_(errors) {}

  /// Takes the statements of one file.
  void Add(std::unique_ptr<const Script> script);
  /// Binds all; returns the definitions in dependency order.
  ProjectDefinition BindAll();

  Bound<PlanPtr> Resolve(const std::string& name, int offset) override;

 private:
  enum class Kind : uint8_t { kTable, kView, kMaterializedView, kInsert };
  enum class State : uint8_t { kUnbound, kBinding, kBound, kFailed };

  /// One statement.
  struct Entry {
    Kind kind = Kind::kTable;
    State state = State::kUnbound;
    const Script* script = nullptr;
    TreeNode statement;
    std::string name;  ///< Of an INSERT: the table's behind "insert$".
    int offset = 0;
    int begin = 0;  ///< Bytes of the statement in its file.
    int end = 0;
    PlanPtr plan;                     ///< How others read it.
    std::vector<std::string> inputs;  ///< Tables and materialized views behind a plain view.
  };

  void AddStatement(const Script& script, const boost::json::object& statement);
  void Report(const Script& script, const LocatedError& error);
  Bound<void> BindEntry(Entry& entry);
  Bound<void> BindTableEntry(Entry& entry);
  Bound<void> BindViewEntry(Entry& entry);
  Bound<void> BindMaterializedView(Entry& entry);
  Bound<void> BindInsert(Entry& entry);
  /// The stream that a query is, when it is all of one; else of a view made for it.
  std::string StreamOf(const Entry& insert, PlanPtr plan);
  bool IsSink(const std::string& table) const;
  bool IsDirect(const std::string& relation) const;
  /// Each must have one reader; call when all is bound.
  void CheckDirectTables();
  ViewOptions ReadViewOptions(const WithOptions& with, const SourceLocation& location);
  Bound<PlanPtr> BindQuery(Entry& entry, const TreeNode& query, bool emit_final, Micros grace);
  Bound<void> Run(Entry& entry);

  const CompileOptions& options_;
  std::vector<ProjectError>& errors_;
  std::vector<std::unique_ptr<const Script>> scripts_;
  std::map<std::string, Entry> entries_;
  std::vector<Entry*> binding_;  ///< The statements that wait for each other, outermost first.
  std::map<std::string, TableDefinition> sink_tables_;
  ProjectDefinition project_;
};

}  // namespace millrace::internal
