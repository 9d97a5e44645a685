#include "millrace/sql/compile_query.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/plan/plan_builder.h"
#include "millrace/plan/table_rows.h"
#include "millrace/sql/finish_plan.h"
#include "millrace/sql/relations.h"
#include "millrace/sql/script.h"
#include "millrace/sql/select_binder.h"

namespace millrace {

namespace {

using internal::Bound;
using internal::ErrAt;
using internal::TreeNode;
using Explain = QueryDefinition::Explain;

/// Windows of windows.
constexpr Micros kOverlapsMax = 1000;

/// What is there in a running project.
class ProjectRelations final : public internal::Relations {
 public:
  explicit ProjectRelations(const ProjectDefinition& project) : project_(project) {}

  Bound<PlanPtr> Resolve(const std::string& name, int offset) override {
    if (const TableDefinition* table = project_.FindTable(name)) {
      if (table->is_direct) {
        return ErrAt(offset, ErrorCode::kSqlNotSupported,
                     fmt::format("nothing of table {} is stored: storage = 'direct'", name),
                     "query the view that reads it");
      }
      return MakeTableRows(*table);
    }
    if (const ViewDefinition* view = project_.FindView(name)) {
      // Its rows as they are now: what they once were is gone.
      PlanProperties properties = view->plan->properties;
      properties.append_only = true;
      return MakeScan(name, true, *view->plan->schema, properties);
    }
    const auto plain = std::ranges::find(project_.plain_views, name, &PlainViewDefinition::name);
    if (plain != project_.plain_views.end()) {
      return OverRowsOfViews(plain->plan);
    }
    return ErrAt(offset, ErrorCode::kSqlUnknownRelation, "table or view does not exist: " + name,
                 internal::MeantHint(name, Names()));
  }

 private:
  /// The same plan over scans as above.
  PlanPtr OverRowsOfViews(const PlanPtr& plan) {
    if (plan->kind == PlanNode::Kind::kScan) {
      if (!plan->scan.is_view) {
        return plan;
      }
      const ViewDefinition& view = *project_.FindView(plan->scan.relation);
      PlanProperties properties = view.plan->properties;
      properties.append_only = true;
      return MakeNarrowScan(*MakeScan(view.name, true, *view.plan->schema, properties),
                            plan->scan.columns);
    }
    std::vector<PlanPtr> inputs;
    for (const PlanPtr& input : plan->inputs) {
      inputs.push_back(OverRowsOfViews(input));
    }
    return WithInputs(*plan, std::move(inputs));
  }

  std::vector<std::string_view> Names() const {
    std::vector<std::string_view> names;
    names.reserve(project_.tables.size() + project_.views.size() + project_.plain_views.size());
    for (const TableDefinition& table : project_.tables) {
      names.push_back(table.name);
    }
    for (const ViewDefinition& view : project_.views) {
      names.push_back(view.name);
    }
    for (const PlainViewDefinition& view : project_.plain_views) {
      names.push_back(view.name);
    }
    return names;
  }

  const ProjectDefinition& project_;
};

Bound<Explain> ReadExplain(const TreeNode& statement) {
  MR_TRY(statement.AllowOnly({"query", "options"}, 0));
  Explain explain = Explain::kPlan;
  for (const TreeNode& option : statement.List("options")) {
    const std::string name = option.Text("defname");
    const TreeNode argument = option.Child("arg");
    const std::string value = argument ? argument.Text("sval") : "true";
    if (name != "analyze" || (value != "true" && value != "on")) {
      return internal::Unsupported(std::max(option.offset(), 0),
                                   fmt::format("the option {} of EXPLAIN with this value", name),
                                   "there are EXPLAIN and EXPLAIN ANALYZE");
    }
    explain = Explain::kAnalyze;
  }
  return explain;
}

/// How many rows windows make of one row at most.
Micros OverlapsOf(const PlanNode& plan) {
  Micros overlaps = 1;
  for (const PlanPtr& input : plan.inputs) {
    overlaps = std::max(overlaps, OverlapsOf(*input));
  }
  return plan.kind == PlanNode::Kind::kWindow && overlaps <= kOverlapsMax
             ? overlaps * ((plan.window.size + plan.window.slide - 1) / plan.window.slide)
             : overlaps;
}

void AddInputs(const PlanNode& plan, std::vector<std::string>& inputs) {
  if (plan.kind == PlanNode::Kind::kScan &&
      std::ranges::find(inputs, plan.scan.relation) == inputs.end()) {
    inputs.push_back(plan.scan.relation);
  }
  for (const PlanPtr& input : plan.inputs) {
    AddInputs(*input, inputs);
  }
}

Bound<QueryDefinition> Bind(const internal::Script& script, const ProjectDefinition& project,
                            const CompileQueryOptions& options) {
  const auto& statements = script.statements();
  if (statements.size() != 1) {
    return ErrAt(0, ErrorCode::kSqlSyntax,
                 statements.empty() ? "there is no query" : "there is more than one statement",
                 "one SELECT or EXPLAIN at a time");
  }
  QueryDefinition query;
  TreeNode statement(statements.front().as_object().at("stmt"));
  if (statement.Is("ExplainStmt")) {
    MR_ASSIGN(query.explain, ReadExplain(statement));
    statement = statement.Child("query");
  }
  if (!statement.Is("SelectStmt")) {
    return internal::Unsupported(0, internal::DescribeKind(statement.kind()) + " in a query",
                                 "SELECT and EXPLAIN read; definitions belong into the project");
  }
  ProjectRelations relations(project);
  internal::SelectBinder binder(
      script, relations,
      {.default_window_size = options.default_window_size, .is_query = true, .now = options.now});
  MR_ASSIGN(PlanPtr plan, binder.Bind(statement, 0));
  MR_ASSIGN(query.plan, internal::FinishPlan(std::move(plan), 0));
  if (OverlapsOf(*query.plan) > kOverlapsMax) {
    return ErrAt(0, ErrorCode::kSqlTooLarge,
                 fmt::format("windows put a row into more than {} rows", kOverlapsMax));
  }
  const auto& ordering = binder.ordering();
  query.columns = ordering.columns;
  query.order = ordering.keys;
  query.limit = ordering.limit;
  query.offset = ordering.offset;
  AddInputs(*query.plan, query.inputs);
  return query;
}

Error WithPlace(const SqlFile& file, const internal::LocatedError& located) {
  const SourceLocation place = internal::Script::Locate(file, located.offset);
  return Error(located.error.code(), fmt::format("line {}, column {}: {}", place.line, place.column,
                                                 located.error.message()))
      .WithHint(located.error.hint());
}

}  // namespace

Result<QueryDefinition> CompileQuery(std::string_view text, const ProjectDefinition& project,
                                     const CompileQueryOptions& options) {
  const SqlFile file{.path = "query", .text = std::string(text)};
  const auto script = internal::Script::Parse(file);
  if (!script) {
    return Err(WithPlace(file, script.error()));
  }
  auto query = Bind(**script, project, options);
  if (!query) {
    return Err(WithPlace(file, query.error()));
  }
  return *std::move(query);
}

}  // namespace millrace
