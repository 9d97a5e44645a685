#include "millrace/sql/expression_testing.h"

#include <fmt/format.h>

#include "millrace/data/column_builder.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/evaluator.h"
#include "millrace/sql/compile_project.h"
#include "millrace/sql/expression_binder.h"

namespace millrace {

const std::string_view kExpressionColumns =
    "b boolean, s smallint, i integer, l bigint, r real, d double precision, n numeric(10,2), "
    "t text, at timestamptz, day date, span interval, j jsonb, nil integer, nilt text, zero "
    "integer, raw bytea, id uuid";

namespace {

constexpr std::string_view kRow[] = {"true",
                                     "2",
                                     "7",
                                     "9000000000",
                                     "1.5",
                                     "2.5",
                                     "12.35",
                                     "Gr\u00fc\u00dfe, Welt",
                                     "2024-02-29T13:45:30.250Z",
                                     "2024-02-29",
                                     "1 day 02:00:00",
                                     R"({"a":{"b":[1,2.5,"x\n\u00e9"]},"n":null,"s":"q","t":true})",
                                     "",
                                     "",
                                     "0",
                                     "\\x00ff61",
                                     "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"};

std::string Code(ErrorCode code) { return fmt::format("{}", static_cast<int>(code)); }

/// The row's value for a field, by the name that the field has in kExpressionColumns.
Value RowValue(const Schema& table, const Field& field) {
  const std::string_view text = kRow[*table.Find(field.name)];
  return text.empty() ? Value() : *ParseValue(text, field.type);
}

Column Repeated(const Value& value, const DataType& type, size_t nulls, size_t copies) {
  ColumnBuilder builder(type);
  builder.AppendNulls(nulls);
  for (size_t i = 0; i < copies; ++i) {
    AppendValue(builder, value);
  }
  return builder.Finish();
}

BatchPtr RowsOf(const Schema& table, const SchemaPtr& schema, size_t nulls, size_t copies) {
  std::vector<Column> columns;
  for (const Field& field : schema->fields()) {
    columns.push_back(Repeated(RowValue(table, field), field.type, nulls, copies));
  }
  return Batch::Make(schema, std::move(columns), nulls + copies);
}

/// The answer in one row.
std::string AnswerAt(const Column& column, const RowErrors& errors, size_t row) {
  for (const RowError& error : errors.entries()) {
    if (error.row == row) {
      return column.IsNull(row) ? "!" + Code(error.code) : "a value in a failed row";
    }
  }
  return FormatValue(ValueAt(column, row), column.type());
}

/// The one answer in the rows from `first` on.
std::string AnswerFrom(const ExpressionPtr& expression, const Batch& batch, size_t first) {
  RowErrors errors;
  const Column column = Evaluator(expression).Evaluate(batch, errors);
  std::string answer = AnswerAt(column, errors, first);
  for (size_t row = first + 1; row < batch.rows(); ++row) {
    if (AnswerAt(column, errors, row) != answer) {
      return fmt::format("{} in row {} and {} in row {}", answer, first,
                         AnswerAt(column, errors, row), row);
    }
  }
  return answer;
}

/// Replaces literals by new columns, whose values go to `values`.
ExpressionPtr LiteralsAsColumns(const ExpressionPtr& expression, size_t columns,
                                std::vector<ExpressionPtr>& values) {
  if (expression->is_literal()) {
    values.push_back(expression);
    return MakeColumn(columns + values.size() - 1, expression->type, true);
  }
  std::vector<ExpressionPtr> arguments;
  for (const ExpressionPtr& argument : expression->arguments) {
    arguments.push_back(LiteralsAsColumns(argument, columns, values));
  }
  return expression->arguments.empty() ? expression
                                       : WithArguments(*expression, std::move(arguments));
}

std::string AnswerWithColumns(const BoundExpression& bound, size_t nulls, size_t copies) {
  std::vector<ExpressionPtr> values;
  const auto expression = LiteralsAsColumns(bound.expression, bound.schema->size(), values);
  const BatchPtr rows = ExpressionRows(bound.schema, nulls, copies);
  std::vector<Field> fields = bound.schema->fields();
  std::vector<Column> columns = rows->columns();
  for (const ExpressionPtr& value : values) {
    fields.push_back({fmt::format("literal{}", fields.size()), value->type, true});
    columns.push_back(Repeated(value->literal, value->type, nulls, copies));
  }
  const BatchPtr batch =
      Batch::Make(MakeSchema(std::move(fields)), std::move(columns), nulls + copies);
  return AnswerFrom(expression, *batch, nulls);
}

std::string CompiledAnswer(std::string_view sql) {
  const SqlFile file{"x.sql", fmt::format("CREATE TABLE t ({}); CREATE MATERIALIZED VIEW v AS "
                                          "SELECT {} AS x FROM t",
                                          kExpressionColumns, sql)};
  std::vector<ProjectError> errors;
  const auto project = CompileProject({&file, 1}, {}, &errors);
  if (!project) {
    return "MR" + Code(errors.front().error.code());
  }
  const PlanNode& plan = *project->views.front().plan;
  const SchemaPtr& schema = plan.inputs[0]->schema;
  return AnswerFrom(plan.project.expressions[0],
                    *RowsOf(*project->tables.front().schema, schema, 0, 1), 0);
}

}  // namespace

BatchPtr ExpressionRows(const SchemaPtr& schema, size_t nulls, size_t copies) {
  return RowsOf(*schema, schema, nulls, copies);
}

internal::Bound<BoundExpression> BindExpression(std::string_view sql, std::optional<Micros> now) {
  static const SchemaPtr kSchema = [] {
    const SqlFile file{"t.sql", fmt::format("CREATE TABLE t ({})", kExpressionColumns)};
    return CompileProject({&file, 1}, {}, nullptr)->tables.front().schema;
  }();
  const SqlFile file{"x.sql", fmt::format("SELECT {}", sql)};
  MR_ASSIGN(const auto script, internal::Script::Parse(file));
  const internal::TreeNode statement(script->statements().at(0).as_object().at("stmt"));
  const auto targets = statement.List("targetList");
  if (targets.size() != 1) {
    return internal::ErrAt(0, ErrorCode::kSqlSyntax, "not one expression");
  }
  const internal::Scope scope("t", *kSchema);
  internal::ExpressionBinder binder(*script, scope);
  MR_ASSIGN(ExpressionPtr expression,
            binder.Bind(targets[0].Child("val"), {.clause = "SELECT", .now = now}));
  return BoundExpression{std::move(expression), kSchema};
}

std::string EvaluateSql(std::string_view sql) {
  std::string answer = CompiledAnswer(sql);
  const auto bound = BindExpression(sql);
  if (!bound || answer.starts_with("MR")) {
    const std::string code = bound ? "none" : "MR" + Code(bound.error().error.code());
    return code == answer ? answer : fmt::format("{} compiled, {} bound", answer, code);
  }
  // More rows than a word has bits.
  constexpr size_t kNulls = 3;
  constexpr size_t kCopies = 70;
  const std::string many =
      AnswerFrom(bound->expression, *ExpressionRows(bound->schema, kNulls, kCopies), kNulls);
  const std::string columns = AnswerWithColumns(*bound, kNulls, kCopies);
  const std::string one = AnswerWithColumns(*bound, 0, 1);
  if (many != answer || columns != answer || one != answer) {
    return fmt::format("{} compiled, {} over many rows, {} with columns, {} over one row", answer,
                       many, columns, one);
  }
  return answer;
}

}  // namespace millrace
