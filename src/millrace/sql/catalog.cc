#include "millrace/sql/catalog.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/plan/plan_builder.h"
#include "millrace/plan/table_rows.h"
#include "millrace/sql/finish_plan.h"
#include "millrace/sql/select_binder.h"
#include "millrace/sql/table_binder.h"

namespace millrace::internal {

namespace {

const std::string kInsertPrefix = "insert$";

/// The rows of `plan` as rows of a table, of which INSERT INTO t (a, b) names columns: the others
/// are NULL.
Bound<PlanPtr> PutIntoColumns(const PlanPtr& plan, const std::vector<TreeNode>& names,
                              const Schema& table, int offset) {
  const Schema& given = *plan->schema;
  if (names.size() != given.size()) {
    return ErrAt(offset, ErrorCode::kSqlTypeMismatch,
                 fmt::format("the query has {} columns and the INSERT names {}", given.size(),
                             names.size()));
  }
  std::vector<ExpressionPtr> columns;
  std::vector<std::string> columns_names;
  for (const Field& field : table.fields()) {
    columns.push_back(MakeLiteral(Value(), field.type));
    columns_names.push_back(field.name);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    MR_TRY(names[i].AllowOnly({"name"}, offset));
    const std::string name = names[i].Text("name");
    const auto column = table.Find(name);
    if (!column) {
      return ErrAt(names[i].offset(), ErrorCode::kSqlUnknownColumn,
                   "column does not exist: " + name);
    }
    if (!columns[*column]->is_literal()) {
      return ErrAt(names[i].offset(), ErrorCode::kSqlDuplicateName, "named twice: " + name);
    }
    columns[*column] = MakeColumn(i, given.field(i).type, given.field(i).nullable);
  }
  return MakeProject(plan, std::move(columns), columns_names);
}

/// Whether a node only passes on the columns of its input, perhaps under other names.
bool KeepsAllColumns(const PlanNode& node) {
  if (node.kind != PlanNode::Kind::kProject ||
      node.project.expressions.size() != node.inputs[0]->schema->size()) {
    return false;
  }
  size_t column = 0;
  return std::ranges::all_of(node.project.expressions, [&](const ExpressionPtr& expression) {
    return expression->is_column() && expression->column == column++;
  });
}

void AddInput(std::vector<std::string>& inputs, const std::string& name) {
  if (std::ranges::find(inputs, name) == inputs.end()) {
    inputs.push_back(name);
  }
}

/// Whether the rows of a plan are the final ones of aggregations, and never change.
bool IsFinal(const PlanNode& plan) {
  return plan.properties.append_only && AnyNode(plan, [](const PlanNode& node) {
           return node.kind == PlanNode::Kind::kAggregate && node.aggregate.emit_final;
         });
}

std::unexpected<LocatedError> AlreadyReported(int offset) {
  return std::unexpected(LocatedError{
      offset, Error(ErrorCode::kSqlInvalidDefinition, "a definition behind this one is not valid"),
      true});
}

}  // namespace

void Catalog::Add(std::unique_ptr<const Script> script) {
  scripts_.push_back(std::move(script));
  const Script& kept = *scripts_.back();
  for (const boost::json::value& statement : kept.statements()) {
    AddStatement(kept, statement.as_object());
  }
}

void Catalog::AddStatement(const Script& script, const boost::json::object& statement) {
  const auto integer = [&](std::string_view field) {
    const boost::json::value* value = statement.if_contains(field);
    return value == nullptr ? 0 : static_cast<int>(value->as_int64());
  };
  Entry entry;
  entry.script = &script;
  entry.statement = TreeNode(statement.at("stmt"));
  entry.begin = integer("stmt_location");
  const int length = integer("stmt_len");
  const int size = static_cast<int>(script.text().size());
  entry.end = length == 0 ? size : entry.begin + length;
  const size_t first =
      script.text().find_first_not_of(" \t\r\n;", static_cast<size_t>(entry.begin));
  entry.begin = first == std::string::npos ? entry.begin : static_cast<int>(first);
  TreeNode relation;
  if (entry.statement.Is("CreateStmt")) {
    relation = entry.statement.Bare("relation");
  } else if (entry.statement.Is("ViewStmt")) {
    entry.kind = Kind::kView;
    relation = entry.statement.Bare("view");
  } else if (entry.statement.Is("CreateTableAsStmt")) {
    entry.kind = Kind::kMaterializedView;
    relation = entry.statement.Bare("into").Bare("rel");
  } else if (entry.statement.Is("InsertStmt")) {
    entry.kind = Kind::kInsert;
    relation = entry.statement.Bare("relation");
  } else {
    const auto error = Unsupported(entry.begin, DescribeKind(entry.statement.kind()));
    return Report(script, error.error());
  }
  entry.name = relation.Text("relname");
  entry.offset = relation.offset();
  const bool is_insert = entry.kind == Kind::kInsert;
  if (!is_insert && entry.name.contains('$')) {
    const auto error = ErrAt(entry.offset, ErrorCode::kSqlInvalidDefinition,
                             "the name of a table or view may not hold '$': " + entry.name,
                             "streams such as errors$clicks have these names");
    Report(script, error.error());
  }
  entry.name = is_insert ? kInsertPrefix + entry.name : entry.name;
  const auto [existing, added] = entries_.emplace(entry.name, entry);
  if (!added) {
    const Entry& other = existing->second;
    const auto error =
        ErrAt(entry.offset, ErrorCode::kSqlDuplicateName,
              is_insert ? "only one INSERT may fill " + relation.Text("relname")
                        : "a table or view of this name exists: " + entry.name,
              "the other one is at " + other.script->Locate(other.offset).ToString());
    Report(script, error.error());
  }
}

void Catalog::Report(const Script& script, const LocatedError& error) {
  if (!error.already_reported) {
    errors_.push_back({script.Locate(error.offset), error.error});
  }
}

ProjectDefinition Catalog::BindAll() {
  for (auto& [name, entry] : entries_) {
    if (const auto bound = Run(entry); !bound) {
      Report(*entry.script, bound.error());
    }
  }
  CheckDirectTables();
  return std::move(project_);
}

void Catalog::CheckDirectTables() {
  for (const TableDefinition& table : project_.tables) {
    const auto reads = [&](const ViewDefinition& view) {
      return std::ranges::find(view.inputs, table.name) != view.inputs.end();
    };
    const auto readers = std::ranges::count_if(project_.views, reads);
    if (table.is_direct && readers != 1) {
      errors_.push_back(
          {table.location,
           Error(ErrorCode::kSqlInvalidDefinition,
                 fmt::format("storage = 'direct' is for a table that one view reads: {} read {}",
                             readers, table.name))
               .WithHint("materialized views and INSERTs count")});
    }
  }
}

Bound<void> Catalog::Run(Entry& entry) {
  if (entry.state == State::kBound) {
    return {};
  }
  if (entry.state == State::kFailed) {
    return AlreadyReported(entry.offset);
  }
  entry.state = State::kBinding;
  binding_.push_back(&entry);
  Bound<void> bound = BindEntry(entry);
  binding_.pop_back();
  entry.state = bound ? State::kBound : State::kFailed;
  if (!bound && !bound.error().already_reported) {
    LocatedError located = bound.error();
    located.offset = located.offset >= 0 ? located.offset : entry.offset;
    Report(*entry.script, located);
    return AlreadyReported(entry.offset);
  }
  return bound;
}

Bound<PlanPtr> Catalog::Resolve(const std::string& name, int offset) {
  const auto at = entries_.find(name);
  if (at == entries_.end()) {
    std::vector<std::string_view> names;
    names.reserve(entries_.size());
    for (const auto& [each, entry] : entries_) {
      names.push_back(each);
    }
    return ErrAt(offset, ErrorCode::kSqlUnknownRelation, "table or view does not exist: " + name,
                 MeantHint(name, names));
  }
  if (IsSink(name)) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 name + " is filled by INSERT INTO and cannot be read",
                 "read what its query reads");
  }
  Entry& entry = at->second;
  if (entry.state == State::kBinding) {
    std::string path;
    bool inside = false;
    for (const Entry* each : binding_) {
      inside |= each == &entry;
      path += inside ? each->name + " -> " : "";
    }
    return ErrAt(offset, ErrorCode::kSqlCycle, "views depend on each other: " + path + name);
  }
  if (!Run(entry)) {
    return AlreadyReported(offset);
  }
  std::vector<std::string>& inputs = binding_.back()->inputs;
  if (entry.kind != Kind::kView) {
    AddInput(inputs, name);
  }
  for (const std::string& input :
       entry.kind == Kind::kView ? entry.inputs : std::vector<std::string>{}) {
    AddInput(inputs, input);
  }
  return entry.plan;
}

Bound<void> Catalog::BindEntry(Entry& entry) {
  switch (entry.kind) {
    case Kind::kTable:
      return BindTableEntry(entry);
    case Kind::kView:
      return BindViewEntry(entry);
    case Kind::kMaterializedView:
      break;
    case Kind::kInsert:
      return BindInsert(entry);
  }
  return BindMaterializedView(entry);
}

bool Catalog::IsSink(const std::string& table) const {
  return entries_.contains(kInsertPrefix + table);
}

Bound<void> Catalog::BindTableEntry(Entry& entry) {
  CompileOptions options = options_;
  if (IsSink(entry.name)) {
    options.check_connector = {};
    MR_ASSIGN(TableDefinition sink, BindTable(entry.statement, *entry.script, options, errors_));
    sink_tables_[entry.name] = std::move(sink);
    return {};
  }
  MR_ASSIGN(TableDefinition table, BindTable(entry.statement, *entry.script, options, errors_));
  entry.plan = MakeTableRows(table);
  project_.tables.push_back(std::move(table));
  return {};
}

ViewOptions Catalog::ReadViewOptions(const WithOptions& with, const SourceLocation& location) {
  OptionSources sources;
  sources.AddWith(with.options(), location);
  const OptionTableBase* const tables[] = {&ViewOptionTable()};
  RefuseUnknownOptions(sources, tables, errors_);
  return ViewOptionTable().Read(sources, errors_);
}

Bound<PlanPtr> Catalog::BindQuery(Entry& entry, const TreeNode& query, bool emit_final,
                                  Micros grace) {
  if (!query.Is("SelectStmt")) {
    return Unsupported(entry.offset, DescribeKind(query.kind()));
  }
  SelectBinder binder(*entry.script, *this,
                      {.emit_final = emit_final,
                       .grace = grace,
                       .default_window_size = options_.default_window_size,
                       .is_view = entry.kind != Kind::kInsert});
  return binder.Bind(query, entry.offset);
}

Bound<void> Catalog::BindViewEntry(Entry& entry) {
  const TreeNode& view = entry.statement;
  MR_TRY(view.Bare("view").AllowOnly({"relname"}, entry.offset));
  MR_TRY(view.AllowOnly({"view", "query"}, entry.offset));
  MR_ASSIGN(entry.plan, BindQuery(entry, view.Child("query"), false, options_.default_grace));
  project_.plain_views.push_back({.name = entry.name, .plan = entry.plan});
  return {};
}

Bound<void> Catalog::BindMaterializedView(Entry& entry) {
  const TreeNode& statement = entry.statement;
  const TreeNode into = statement.Bare("into");
  MR_TRY(into.Bare("rel").AllowOnly({"relname"}, entry.offset));
  MR_TRY(statement.AllowOnly({"query", "into", "objtype"}, entry.offset));
  MR_TRY(into.AllowOnly({"rel", "options"}, entry.offset));
  if (statement.Text("objtype") != "OBJECT_MATVIEW") {
    return Unsupported(entry.offset, "CREATE TABLE AS", "write CREATE MATERIALIZED VIEW");
  }
  MR_ASSIGN(const WithOptions with, WithOptions::Read(into.List("options"), *entry.script));
  ViewDefinition view;
  view.name = entry.name;
  view.location = entry.script->Locate(entry.offset);
  const ViewOptions options = ReadViewOptions(with, view.location);
  view.emit = options.emit;
  const bool emit_final = view.emit == EmitMode::kFinal;
  const Micros grace = options.grace ? options.grace->count() : options_.default_grace;
  MR_ASSIGN(PlanPtr plan, BindQuery(entry, statement.Child("query"), emit_final, grace));
  if (emit_final && !IsFinal(*plan)) {
    return ErrAt(entry.offset, ErrorCode::kSqlInvalidDefinition,
                 "emit = 'final' needs GROUP BY window_start of a window over the event time",
                 "group by it in this view, not in a view that this one reads");
  }
  MR_ASSIGN(view.plan, FinishPlan(std::move(plan), entry.offset));
  view.inputs = entry.inputs;
  view.sql = entry.script->text().substr(static_cast<size_t>(entry.begin),
                                         static_cast<size_t>(entry.end - entry.begin));
  entry.plan = MakeScan(view.name, true, *view.plan->schema, view.plan->properties);
  project_.views.push_back(std::move(view));
  return {};
}

Bound<void> Catalog::BindInsert(Entry& entry) {
  const TreeNode& insert = entry.statement;
  MR_TRY(insert.Bare("relation").AllowOnly({"relname"}, entry.offset));
  MR_TRY(insert.AllowOnly({"relation", "cols", "selectStmt", "override"}, entry.offset));
  const std::string target = entry.name.substr(kInsertPrefix.size());
  const auto table = entries_.find(target);
  if (table == entries_.end() || table->second.kind != Kind::kTable) {
    return ErrAt(entry.offset, ErrorCode::kSqlUnknownRelation, "table does not exist: " + target);
  }
  if (!Run(table->second)) {
    return AlreadyReported(entry.offset);
  }
  MR_ASSIGN(PlanPtr plan,
            BindQuery(entry, insert.Child("selectStmt"), false, options_.default_grace));
  const SchemaPtr& columns = sink_tables_.at(target).schema;
  if (insert.Has("cols")) {
    MR_ASSIGN(plan, PutIntoColumns(plan, insert.List("cols"), *columns, entry.offset));
  }
  MR_ASSIGN(plan, FinishPlan(std::move(plan), entry.offset));
  SinkDefinition sink{.table = sink_tables_.at(target),
                      .stream = {},
                      .retracts = !plan->properties.append_only,
                      .location = entry.script->Locate(entry.offset)};
  const Schema& given = *plan->schema;
  const Schema& wanted = *sink.table.schema;
  if (given.size() != wanted.size()) {
    return ErrAt(
        entry.offset, ErrorCode::kSqlTypeMismatch,
        fmt::format("the query has {} columns and {} has {}", given.size(), target, wanted.size()));
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (given.field(i).type != wanted.field(i).type) {
      return ErrAt(
          entry.offset, ErrorCode::kSqlTypeMismatch,
          fmt::format("column {} of {} is {} and the query gives {}", wanted.field(i).name, target,
                      wanted.field(i).type.ToString(), given.field(i).type.ToString()),
          "cast it in the query");
    }
  }
  sink.stream = StreamOf(entry, std::move(plan));
  if (options_.check_sink) {
    options_.check_sink(sink, errors_);
  }
  project_.sinks.push_back(std::move(sink));
  return {};
}

bool Catalog::IsDirect(const std::string& relation) const {
  const TableDefinition* const table = project_.FindTable(relation);
  return table != nullptr && table->is_direct;
}

std::string Catalog::StreamOf(const Entry& insert, PlanPtr plan) {
  const PlanNode& rows = KeepsAllColumns(*plan) ? *plan->inputs[0] : *plan;
  if (rows.kind == PlanNode::Kind::kScan && !IsDirect(rows.scan.relation) &&
      rows.scan.columns.size() == entries_.at(rows.scan.relation).plan->schema->size()) {
    return rows.scan.relation;
  }
  ViewDefinition view;
  view.name = insert.name;
  view.of_insert = true;
  view.location = insert.script->Locate(insert.offset);
  view.plan = std::move(plan);
  view.inputs = insert.inputs;
  view.sql = insert.script->text().substr(static_cast<size_t>(insert.begin),
                                          static_cast<size_t>(insert.end - insert.begin));
  project_.views.push_back(std::move(view));
  return insert.name;
}

}  // namespace millrace::internal
