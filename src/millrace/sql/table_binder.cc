#include "millrace/sql/table_binder.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "millrace/expr/casts.h"
#include "millrace/expr/constant_folding.h"
#include "millrace/plan/definition_options.h"
#include "millrace/sql/expression_binder.h"
#include "millrace/sql/type_binder.h"
#include "millrace/sql/with_options.h"

namespace millrace::internal {

namespace {

/// How much later than another a record may be committed whose time was taken before.
constexpr Duration kProctimeDelay = std::chrono::seconds(1);

std::string ConstraintName(const std::string& type) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"CONSTR_UNIQUE", "UNIQUE"},
      {"CONSTR_CHECK", "CHECK"},
      {"CONSTR_DEFAULT", "DEFAULT"},
      {"CONSTR_FOREIGN", "REFERENCES"},
      {"CONSTR_IDENTITY", "GENERATED AS IDENTITY"},
      {"CONSTR_EXCLUSION", "EXCLUDE"},
  };
  for (const auto& [kind, name] : kNames) {
    if (kind == type) {
      return std::string(name);
    }
  }
  return type;
}

/// A column as declared; the generating expression is bound when all columns are known.
struct Column {
  Field field;
  TreeNode generated;
  int offset = 0;
  bool is_key = false;
};

/// What is declared between the parentheses of CREATE TABLE.
struct Columns {
  std::vector<Column> columns;
  std::vector<std::string> primary_key;
  int primary_key_offset = 0;
};

Bound<Column> BindColumn(const TreeNode& definition) {
  const int offset = definition.offset();
  MR_TRY(definition.AllowOnly({"colname", "typeName", "constraints"}, offset));
  MR_ASSIGN(const DataType type, BindType(definition.Bare("typeName"), offset));
  Column column{{definition.Text("colname"), type, true}, {}, offset};
  for (const TreeNode& constraint : definition.List("constraints")) {
    const std::string kind = constraint.Text("contype");
    if (kind == "CONSTR_NOTNULL") {
      column.field.nullable = false;
    } else if (kind == "CONSTR_PRIMARY") {
      column.field.nullable = false;
      column.is_key = true;
    } else if (kind == "CONSTR_GENERATED") {
      column.generated = constraint.Child("raw_expr");
    } else if (kind != "CONSTR_NULL") {
      return Unsupported(constraint.offset(), ConstraintName(kind));
    }
  }
  return column;
}

Bound<void> TakePrimaryKey(std::vector<std::string> names, int offset, Columns& columns) {
  if (!columns.primary_key.empty()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition, "a table has one primary key",
                 "for several columns write PRIMARY KEY (a, b)");
  }
  columns.primary_key = std::move(names);
  columns.primary_key_offset = offset;
  return {};
}

Bound<Columns> BindColumns(const TreeNode& create) {
  Columns all;
  std::set<std::string> names;
  for (const TreeNode& element : create.List("tableElts")) {
    if (element.Is("Constraint")) {
      if (element.Text("contype") != "CONSTR_PRIMARY") {
        return Unsupported(element.offset(), ConstraintName(element.Text("contype")));
      }
      MR_TRY(element.AllowOnly({"contype", "keys"}, element.offset()));
      MR_TRY(TakePrimaryKey(element.Names("keys"), element.offset(), all));
      continue;
    }
    if (!element.Is("ColumnDef")) {
      return Unsupported(element.offset(), DescribeKind(element.kind()));
    }
    MR_ASSIGN(Column column, BindColumn(element));
    if (!names.insert(column.field.name).second) {
      return ErrAt(column.offset, ErrorCode::kSqlDuplicateName,
                   "a column is declared twice: " + column.field.name);
    }
    if (column.is_key) {
      MR_TRY(TakePrimaryKey({column.field.name}, column.offset, all));
    }
    all.columns.push_back(std::move(column));
  }
  return all;
}

bool IsProctime(const TreeNode& node) {
  return node.Is("FuncCall") && node.Names("funcname").back() == "proctime" &&
         node.List("args").empty();
}

/// The one column that is proctime().
Bound<void> BindProctime(const Column& column, size_t index, TableDefinition& table) {
  if (column.field.type.id != TypeId::kTimestamptz) {
    return ErrAt(column.offset, ErrorCode::kSqlTypeMismatch,
                 fmt::format("column {} is {}, but proctime() timestamptz", column.field.name,
                             column.field.type.ToString()));
  }
  if (table.proctime) {
    return ErrAt(column.offset, ErrorCode::kSqlInvalidDefinition,
                 "a table has one column that is proctime()");
  }
  table.proctime = index;
  table.generated.push_back({index, nullptr});
  return {};
}

Bound<ExpressionPtr> BindGenerated(const Column& column, const std::vector<Column>& columns,
                                   const Scope& scope, const Script& script) {
  ExpressionBinder binder(script, scope);
  MR_ASSIGN(ExpressionPtr bound, binder.Bind(column.generated, {.clause = "a generated column"}));
  std::string other;
  ForEachColumn(*bound, [&](size_t used) {
    if (columns[used].generated) {
      other = columns[used].field.name;
    }
  });
  const int offset = column.generated.offset() >= 0 ? column.generated.offset() : column.offset;
  if (!other.empty()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "a generated column cannot use another one: " + other);
  }
  if (!CanCast(bound->type, column.field.type, CastContext::kAssignment)) {
    return ErrAt(offset, ErrorCode::kSqlTypeMismatch,
                 fmt::format("column {} is {}, but its expression {}", column.field.name,
                             column.field.type.ToString(), bound->type.ToString()),
                 "cast the expression");
  }
  return FoldConstants(MakeCast(bound, column.field.type));
}

Bound<size_t> BindEventTime(const std::string& name, int offset, const Scope& scope) {
  MR_ASSIGN(const size_t column, scope.Find("", name, offset));
  const DataType type = scope.entry(column).field.type;
  if (type.id != TypeId::kTimestamptz) {
    return ErrAt(
        offset, ErrorCode::kSqlInvalidDefinition,
        fmt::format("the event time must be timestamptz: {} is {}", name, type.ToString()));
  }
  return column;
}

/// The option is an expression: it is read as that of a query.
Bound<void> BindDeleteWhen(const std::string& text, int offset, const Scope& scope,
                           TableDefinition& table) {
  if (table.primary_key.empty()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "delete_when needs a table with a primary key");
  }
  const auto at_option = [&](const LocatedError& error) {
    return std::unexpected(LocatedError{offset, error.error});
  };
  const auto script = Script::Parse({.path = "delete_when", .text = "SELECT " + text});
  if (!script) {
    return at_option(script.error());
  }
  const auto& statements = (*script)->statements();
  TreeNode select;
  if (statements.size() == 1) {
    select = TreeNode(statements[0].as_object().at("stmt"));
  }
  const auto targets = select.List("targetList");
  if (targets.size() != 1 || !select.AllowOnly({"targetList"}, 0)) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition, "delete_when must be one condition");
  }
  ExpressionBinder binder(**script, scope);
  auto bound = binder.BindAs(targets[0].Child("val"), DataType::Of(TypeId::kBoolean),
                             {.clause = "delete_when"});
  if (!bound) {
    return at_option(bound.error());
  }
  table.delete_when = FoldConstants(*bound);
  return {};
}

Bound<void> BindRetention(const TableOptions& read, const WithOptions& with,
                          TableDefinition& table) {
  const std::string option = read.retention ? "retention" : "retention_bytes";
  if ((read.retention || read.retention_bytes) && !table.primary_key.empty()) {
    return ErrAt(with.OffsetOf(option), ErrorCode::kSqlInvalidDefinition,
                 "a table with a primary key keeps its records: its rows are the latest of them");
  }
  table.is_direct = read.is_direct;
  if (table.is_direct && (read.retention || read.retention_bytes || !table.primary_key.empty() ||
                          !read.partition_by.empty())) {
    return ErrAt(with.OffsetOf("storage"), ErrorCode::kSqlInvalidDefinition,
                 "storage = 'direct' keeps no records: without retention, primary key and "
                 "partition_by");
  }
  if (!read.retention_bytes && with.options().contains("on_full")) {
    return ErrAt(with.OffsetOf("on_full"), ErrorCode::kSqlInvalidDefinition,
                 "on_full needs the option retention_bytes: without, a table is never full");
  }
  if (read.retention) {
    table.retention = read.retention->count();
  }
  if (read.retention_bytes) {
    table.retention_bytes = static_cast<size_t>(read.retention_bytes->bytes);
  }
  table.on_full = read.on_full;
  return {};
}

Bound<void> BindOptions(const WithOptions& with, const Scope& scope, int offset,
                        const CompileOptions& options, TableDefinition& table,
                        std::vector<ProjectError>& errors) {
  OptionSources sources;
  sources.AddWith(with.options(), table.location);
  const TableOptions read = TableOptionTable().Read(sources, errors);
  table.options = with.options();
  for (const auto& option : TableOptionTable().options()) {
    table.options.erase(option.info.name);
  }
  if (options.check_connector) {
    options.check_connector(table, errors);
  }
  table.partitions = read.partitions.value_or(options.default_partitions);
  table.event_time = table.proctime;
  if (read.event_time) {
    MR_ASSIGN(table.event_time,
              BindEventTime(*read.event_time, with.OffsetOf("event_time"), scope));
  }
  if (!table.event_time && read.watermark_delay) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "watermark_delay needs the option event_time");
  }
  const Duration usual =
      table.proctime && table.event_time == table.proctime ? kProctimeDelay : Duration(0);
  table.watermark_delay = read.watermark_delay.value_or(usual).count();
  MR_TRY(BindRetention(read, with, table));
  for (const std::string& name : read.partition_by) {
    MR_ASSIGN(const size_t column, scope.Find("", name, with.OffsetOf("partition_by")));
    table.partition_by.push_back(column);
  }
  if (table.partition_by.empty()) {
    table.partition_by = table.primary_key;
  }
  if (table.proctime &&
      std::ranges::find(table.partition_by, *table.proctime) != table.partition_by.end()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "proctime() is known too late to choose a partition");
  }
  // Else the records of a key would have no order.
  for (const size_t column : table.partition_by) {
    if (!table.primary_key.empty() &&
        std::ranges::find(table.primary_key, column) == table.primary_key.end()) {
      return ErrAt(with.OffsetOf("partition_by"), ErrorCode::kSqlInvalidDefinition,
                   "partition_by may only name columns of the primary key: " +
                       table.schema->field(column).name);
    }
  }
  if (read.delete_when) {
    return BindDeleteWhen(*read.delete_when, with.OffsetOf("delete_when"), scope, table);
  }
  return {};
}

}  // namespace

Bound<TableDefinition> BindTable(const TreeNode& create, const Script& script,
                                 const CompileOptions& options, std::vector<ProjectError>& errors) {
  const TreeNode relation = create.Bare("relation");
  const int offset = relation.offset();
  MR_TRY(relation.AllowOnly({"relname"}, offset));
  MR_TRY(create.AllowOnly({"relation", "tableElts", "options"}, offset));
  TableDefinition table;
  table.name = relation.Text("relname");
  table.location = script.Locate(offset);
  MR_ASSIGN(const Columns declared, BindColumns(create));
  const std::vector<Column>& columns = declared.columns;
  if (columns.empty()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition, "a table needs a column: " + table.name);
  }
  std::vector<Field> fields;
  for (const Column& column : columns) {
    fields.push_back(column.field);
    if (std::ranges::find(declared.primary_key, column.field.name) != declared.primary_key.end()) {
      fields.back().nullable = false;
    }
  }
  table.schema = MakeSchema(std::move(fields));
  const Scope scope(table.name, *table.schema);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].generated && IsProctime(columns[i].generated)) {
      MR_TRY(BindProctime(columns[i], i, table));
    } else if (columns[i].generated) {
      MR_ASSIGN(ExpressionPtr expression, BindGenerated(columns[i], columns, scope, script));
      table.generated.push_back({i, std::move(expression)});
    }
  }
  for (const std::string& name : declared.primary_key) {
    MR_ASSIGN(const size_t column, scope.Find("", name, declared.primary_key_offset));
    if (std::ranges::find(table.primary_key, column) != table.primary_key.end()) {
      return ErrAt(declared.primary_key_offset, ErrorCode::kSqlDuplicateName,
                   "a column is in the primary key twice: " + name);
    }
    table.primary_key.push_back(column);
  }
  MR_ASSIGN(const WithOptions with, WithOptions::Read(create.List("options"), script));
  MR_TRY(BindOptions(with, scope, offset, options, table, errors));
  return table;
}

}  // namespace millrace::internal
