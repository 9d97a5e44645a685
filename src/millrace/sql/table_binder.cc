#include "millrace/sql/table_binder.h"

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

std::string ConstraintName(const std::string& type) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"CONSTR_PRIMARY", "PRIMARY KEY"}, {"CONSTR_UNIQUE", "UNIQUE"},
      {"CONSTR_CHECK", "CHECK"},         {"CONSTR_DEFAULT", "DEFAULT"},
      {"CONSTR_FOREIGN", "REFERENCES"},  {"CONSTR_IDENTITY", "GENERATED AS IDENTITY"},
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
    } else if (kind == "CONSTR_GENERATED") {
      column.generated = constraint.Child("raw_expr");
    } else if (kind != "CONSTR_NULL") {
      return Unsupported(constraint.offset(), ConstraintName(kind));
    }
  }
  return column;
}

Bound<std::vector<Column>> BindColumns(const TreeNode& create) {
  std::vector<Column> columns;
  std::set<std::string> names;
  for (const TreeNode& element : create.List("tableElts")) {
    if (element.Is("Constraint")) {
      return Unsupported(element.offset(), ConstraintName(element.Text("contype")));
    }
    if (!element.Is("ColumnDef")) {
      return Unsupported(element.offset(), DescribeKind(element.kind()));
    }
    MR_ASSIGN(Column column, BindColumn(element));
    if (!names.insert(column.field.name).second) {
      return ErrAt(column.offset, ErrorCode::kSqlDuplicateName,
                   "a column is declared twice: " + column.field.name);
    }
    columns.push_back(std::move(column));
  }
  return columns;
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
  table.watermark_delay = read.watermark_delay.value_or(Duration(0)).count();
  table.partitions = read.partitions.value_or(options.default_partitions);
  if (read.event_time) {
    MR_ASSIGN(table.event_time,
              BindEventTime(*read.event_time, with.OffsetOf("event_time"), scope));
  } else if (read.watermark_delay) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition,
                 "watermark_delay needs the option event_time");
  }
  for (const std::string& name : read.partition_by) {
    MR_ASSIGN(const size_t column, scope.Find("", name, with.OffsetOf("partition_by")));
    table.partition_by.push_back(column);
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
  MR_ASSIGN(const std::vector<Column> columns, BindColumns(create));
  if (columns.empty()) {
    return ErrAt(offset, ErrorCode::kSqlInvalidDefinition, "a table needs a column: " + table.name);
  }
  std::vector<Field> fields;
  for (const Column& column : columns) {
    fields.push_back(column.field);
  }
  table.schema = MakeSchema(std::move(fields));
  const Scope scope(table.name, *table.schema);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].generated) {
      MR_ASSIGN(ExpressionPtr expression, BindGenerated(columns[i], columns, scope, script));
      table.generated.push_back({i, std::move(expression)});
    }
  }
  MR_ASSIGN(const WithOptions with, WithOptions::Read(create.List("options"), script));
  MR_TRY(BindOptions(with, scope, offset, options, table, errors));
  return table;
}

}  // namespace millrace::internal
