#include <gtest/gtest.h>

#include "millrace/data/column_builder.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/evaluator.h"
#include "millrace/sql/compile_project.h"

namespace millrace {
namespace {

// Expressions in SQL over one row, with the answer that PostgreSQL gives unless the SQL reference
// names a difference. An answer that begins with "MR" is the code of a compile error, one that
// begins with "!" the code of a row error.
struct Case {
  std::string_view sql;
  std::string_view answer;
};

constexpr std::string_view kColumns =
    "b boolean, s smallint, i integer, l bigint, r real, d double precision, n numeric(10,2), "
    "t text, at timestamptz, day date, span interval, j jsonb, nil integer, nilt text, zero "
    "integer";

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
                                     "0"};

BatchPtr OneRow(const TableDefinition& table) {
  std::vector<Column> columns;
  for (size_t i = 0; i < table.schema->size(); ++i) {
    const DataType type = table.schema->field(i).type;
    ColumnBuilder builder(type);
    const std::string_view text = i < std::size(kRow) ? kRow[i] : "";
    AppendValue(builder, text.empty() ? Value() : *ParseValue(text, type));
    columns.push_back(builder.Finish());
  }
  return Batch::Make(table.schema, std::move(columns), 1);
}

std::string Code(ErrorCode code) { return fmt::format("{}", static_cast<int>(code)); }

std::string Evaluate(std::string_view sql) {
  const SqlFile file{"x.sql", fmt::format("CREATE TABLE t ({}); CREATE MATERIALIZED VIEW v AS "
                                          "SELECT {} AS x FROM t",
                                          kColumns, sql)};
  std::vector<ProjectError> errors;
  const auto project = CompileProject({&file, 1}, {}, &errors);
  if (!project) {
    return "MR" + Code(errors.front().error.code());
  }
  const PlanNode& plan = *project->views.front().plan;
  const PlanNode& scan = *plan.inputs[0];
  const BatchPtr row = OneRow(project->tables.front());
  std::vector<Column> columns;
  for (const size_t column : scan.scan.columns) {
    columns.push_back(row->column(column));
  }
  const BatchPtr batch = Batch::Make(scan.schema, std::move(columns), 1);
  RowErrors row_errors;
  const Column result = Evaluator(plan.project.expressions[0]).Evaluate(*batch, row_errors);
  if (!row_errors.empty()) {
    EXPECT_TRUE(result.IsNull(0));
    return "!" + Code(row_errors.entries().front().code);
  }
  return FormatValue(ValueAt(result, 0), result.type());
}

void ExpectAnswers(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    EXPECT_EQ(Evaluate(each.sql), each.answer) << each.sql;
  }
}

TEST(ExpressionTest, Arithmetic) {
  ExpectAnswers({{"i + 1", "8"},
                 {"i - s", "5"},
                 {"l * 2", "18000000000"},
                 {"i / 2", "3"},
                 {"-i / 2", "-3"},
                 {"i % 4", "3"},
                 {"mod(-i, 4)", "-3"},
                 {"-i", "-7"},
                 {"+i", "7"},
                 {"i + nil", "NULL"},
                 {"nil / 0", "NULL"},
                 {"i / zero", "!3001"},
                 {"i % zero", "!3001"},
                 {"d / 0", "!3001"},
                 {"n / zero", "!3001"},
                 {"2147483647 + i", "!3002"},
                 {"l * 9000000000", "!3002"},
                 {"r + 1", "2.5"},
                 {"d * 2", "5"},
                 {"n + 1", "13.35"},
                 {"n * n", "152.5225"},
                 {"n * 0.908", "11.21380"},
                 {"n - 0.005", "12.345"},
                 {"n % 5", "2.35"},
                 {"1.0 / 3", "0.3333333333333333"},
                 {"n / 2", "6.1750000000000000"},
                 {"1e300::float8 * 1e300::float8", "!3002"},
                 {"-2147483648", "-2147483648"},
                 {"i + 1.5", "8.5"},
                 {"-5", "-5"},
                 {"- - 5", "5"},
                 {"0", "0"}});
}

TEST(ExpressionTest, Comparison) {
  ExpectAnswers({{"i > 3", "true"},
                 {"i = 7", "true"},
                 {"i <> 7", "false"},
                 {"i != 7", "false"},
                 {"l >= i", "true"},
                 {"n > 12.345", "true"},
                 {"n = 12.350", "true"},
                 {"d < 2", "false"},
                 {"r <= 1.5", "true"},
                 {"t > 'A'", "true"},
                 {"t = nilt", "NULL"},
                 {"at > '2024-01-01'", "true"},
                 {"at::date = day", "true"},
                 {"day < at", "true"},
                 {"span > '1 hour'", "true"},
                 {"b = true", "true"},
                 {"j = '{}'", "false"},
                 {"nil = nil", "NULL"},
                 {"i IS DISTINCT FROM nil", "true"},
                 {"nil IS NOT DISTINCT FROM nil", "true"},
                 {"i = 'x'", "MR2010"},
                 {"t = 5", "MR2007"},
                 {"interval '30 days' = interval '1 month'", "true"}});
}

TEST(ExpressionTest, ThreeValuedLogic) {
  ExpectAnswers({{"b AND nil = 1", "NULL"},
                 {"NOT b AND nil = 1", "false"},
                 {"b OR nil = 1", "true"},
                 {"NOT b OR nil = 1", "NULL"},
                 {"NOT (nil = 1)", "NULL"},
                 {"nil IS NULL", "true"},
                 {"i IS NOT NULL", "true"},
                 {"(nil = 1) IS UNKNOWN", "true"},
                 {"b IS TRUE", "true"},
                 {"(nil = 1) IS NOT TRUE", "true"},
                 {"b IS NOT FALSE", "true"},
                 {"zero <> 0 AND i / zero > 1", "false"},
                 {"zero = 0 OR i / zero > 1", "true"},
                 {"b AND i / zero > 1", "!3001"},
                 {"i AND b", "MR2008"}});
}

TEST(ExpressionTest, Branches) {
  ExpectAnswers({{"CASE WHEN i > 5 THEN 'big' ELSE 'small' END", "big"},
                 {"CASE i WHEN 1 THEN 'one' WHEN 7 THEN 'seven' END", "seven"},
                 {"CASE WHEN nil = 1 THEN 1 END", "NULL"},
                 {"CASE WHEN zero = 0 THEN 0 ELSE i / zero END", "0"},
                 {"CASE WHEN zero <> 0 THEN i / zero ELSE 1.5 END", "1.5"},
                 {"COALESCE(nil, i)", "7"},
                 {"COALESCE(nil, NULL)", "NULL"},
                 {"COALESCE(i, i / zero)", "7"},
                 {"COALESCE(nil, i / zero)", "!3001"},
                 {"NULLIF(i, 7)", "NULL"},
                 {"NULLIF(i, 8)", "7"},
                 {"i IN (1, 7)", "true"},
                 {"i IN (1, NULL)", "NULL"},
                 {"i NOT IN (1, 2)", "true"},
                 {"i IN (1, 2, 3, 4, 5, 6, 7)", "true"},
                 {"t IN ('a','b','c','d','e','f')", "false"},
                 {"i IN (1, 2, 3, 4, 5, NULL)", "NULL"},
                 {"nil IN (1, 2)", "NULL"},
                 {"i BETWEEN 1 AND 7", "true"},
                 {"i NOT BETWEEN 1 AND 7", "false"},
                 {"GREATEST(1, i, nil)", "7"},
                 {"LEAST(n, i)", "7.00"},
                 {"GREATEST(nil, nil)", "NULL"},
                 {"CASE WHEN b THEN 1 ELSE 'x' END", "MR2010"},
                 {"COALESCE(i, t)", "MR2008"}});
}

TEST(ExpressionTest, Text) {
  ExpectAnswers({{"lower('ABC')", "abc"},
                 {"upper('abc')", "ABC"},
                 {"length(t)", "11"},
                 {"octet_length(t)", "13"},
                 {"trim('  a ')", "a"},
                 {"trim(both 'xy' from 'xyaxy')", "a"},
                 {"ltrim('xxa', 'x')", "a"},
                 {"rtrim('axx', 'x')", "a"},
                 {"trim(trailing 'e' from t)", "Gr\u00fc\u00dfe, Welt"},
                 {"substring(t from 3 for 3)", "\u00fc\u00dfe"},
                 {"substring('abc', 0, 2)", "a"},
                 {"substr('abc', 2)", "bc"},
                 {"substring('abc', 1, -1)", "!3002"},
                 {"position('\u00dfe' in t)", "4"},
                 {"strpos(t, 'nix')", "0"},
                 {"replace('aaa', 'a', 'bc')", "bcbcbc"},
                 {"concat('a', nil, i, b)", "a7true"},
                 {"'a' || i", "a7"},
                 {"t || nilt", "NULL"},
                 {"left(t, 3)", "Gr\u00fc"},
                 {"left('abc', -1)", "ab"},
                 {"right(t, 4)", "Welt"},
                 {"right('abc', -1)", "bc"},
                 {"starts_with(t, 'Gr')", "true"},
                 {"split_part('a,b,c', ',', 2)", "b"},
                 {"split_part('a,b,c', ',', -1)", "c"},
                 {"split_part('a', ',', 5)", ""},
                 {"split_part('a', ',', zero)", "!3002"},
                 {"reverse(t)", "tleW ,e\u00df\u00fcrG"},
                 {"lower(nilt)", "NULL"},
                 {"lower(i)", "MR2007"}});
}

TEST(ExpressionTest, Patterns) {
  ExpectAnswers({{"t LIKE 'Gr%'", "true"},
                 {"t LIKE '%Welt'", "true"},
                 {"t LIKE '%, %'", "true"},
                 {"t LIKE 'Gr__e, W%t'", "true"},
                 {"t LIKE 'gr%'", "false"},
                 {"t ILIKE 'gr%'", "true"},
                 {"t NOT LIKE '%x%'", "true"},
                 {"t NOT ILIKE '%WELT'", "false"},
                 {"'50%' LIKE '50\\%'", "true"},
                 {"'50x' LIKE '50\\%'", "false"},
                 {"'50%' LIKE '50!%' ESCAPE '!'", "true"},
                 {"t LIKE '%'", "true"},
                 {"'' LIKE ''", "true"},
                 {"'aab' LIKE '%a%b'", "true"},
                 {"'abc' LIKE 'a%d'", "false"},
                 {"t LIKE nilt", "NULL"},
                 {"t LIKE lower(t)", "false"},
                 {"t LIKE 'x\\'", "!3007"}});
}

TEST(ExpressionTest, Time) {
  ExpectAnswers({{"date_trunc('minute', at)", "2024-02-29T13:45:00Z"},
                 {"date_trunc('month', at)::date", "2024-02-01"},
                 {"date_trunc('week', at)::date", "2024-02-26"},
                 {"date_trunc('quarter', at)::date", "2024-01-01"},
                 {"date_trunc('nix', at)", "!3003"},
                 {"extract(hour from at)", "13"},
                 {"extract(second from at)", "30.250000"},
                 {"extract(epoch from at)", "1709214330.250000"},
                 {"extract(dow from at)", "4"},
                 {"extract(doy from day)", "60"},
                 {"extract(week from day)", "9"},
                 {"extract(isoyear from date '2021-01-01')", "2020"},
                 {"extract(milliseconds from at)", "30250.000"},
                 {"extract(hour from span)", "2"},
                 {"extract(nix from at)", "MR2010"},
                 {"date_part('minute', at)", "45"},
                 {"at + interval '1 month'", "2024-03-29T13:45:30.250Z"},
                 {"day + interval '1 year'", "2025-02-28T00:00:00Z"},
                 {"at - interval '1 day'", "2024-02-28T13:45:30.250Z"},
                 {"at - '2024-02-28T12:00:00Z'", "1 day 01:45:30.25"},
                 {"day + 1", "2024-03-01"},
                 {"day - date '2024-02-01'", "28"},
                 {"day - 29", "2024-01-31"},
                 {"span * 2", "2 days 04:00:00"},
                 {"span / 2", "13:00:00"},
                 {"-span", "-1 days -02:00:00"},
                 {"span + interval '3 hours'", "1 day 05:00:00"},
                 {"span / 0", "!3001"},
                 {"to_timestamp(0.5)", "1970-01-01T00:00:00.500Z"},
                 {"at + interval '9000 years'", "!3006"},
                 {"day::timestamptz", "2024-02-29T00:00:00Z"},
                 {"at::date", "2024-02-29"},
                 {"now()", "MR2002"},
                 {"current_timestamp", "MR2002"}});
}

TEST(ExpressionTest, Json) {
  ExpectAnswers({{"j -> 'a' -> 'b' -> 0", "1"},
                 {"j -> 'a' -> 'b' ->> -1", "x\n\u00e9"},
                 {"j #>> '{a,b,1}'", "2.5"},
                 {"j #> '{a,nix}'", "NULL"},
                 {"j ->> 's'", "q"},
                 {"j -> 's'", "\"q\""},
                 {"j ->> 'n'", "NULL"},
                 {"j -> 'n'", "null"},
                 {"jsonb_typeof(j -> 'a')", "object"},
                 {"jsonb_array_length(j #> '{a,b}')", "3"},
                 {"jsonb_array_length(j)", "!3003"},
                 {"(j #> '{a,b,1}')::int", "3"},
                 {"(j -> 't')::boolean", "true"},
                 {"(j -> 's')::int", "!3003"},
                 {"(j ->> 's') = 'q'", "true"},
                 {"j -> 'a' -> 'b' -> 9", "NULL"},
                 {"j #> 'x'", "!3003"}});
}

TEST(ExpressionTest, Numbers) {
  ExpectAnswers({{"abs(-i)", "7"},        {"abs(-n)", "12.35"},     {"round(n)", "12"},
                 {"round(n, 1)", "12.4"}, {"round(-2.5)", "-3"},    {"round(d)", "2"},
                 {"round(n, -1)", "10"},  {"trunc(n, 1)", "12.3"},  {"trunc(-2.7)", "-2"},
                 {"ceil(n)", "13"},       {"ceil(-1.5)", "-1"},     {"floor(-1.5)", "-2"},
                 {"floor(d)", "2"},       {"sign(-n)", "-1"},       {"sqrt(16)", "4"},
                 {"sqrt(-1)", "!3002"},   {"power(2, 10)", "1024"}, {"ln(0)", "!3002"},
                 {"exp(0)", "1"},         {"log(1000)", "3"}});
}

TEST(ExpressionTest, Casts) {
  ExpectAnswers({{"'12'::int", "12"},
                 {"'x'::int", "MR2010"},
                 {"t::int", "!3003"},
                 {"i::text", "7"},
                 {"n::int", "12"},
                 {"2.5::int", "3"},
                 {"d::int", "2"},
                 {"l::int", "!3002"},
                 {"i::smallint", "7"},
                 {"i::boolean", "true"},
                 {"b::int", "1"},
                 {"b::text", "true"},
                 {"1.005::numeric(5,2)", "1.01"},
                 {"1000::numeric(3,0)", "!3002"},
                 {"r::float8", "1.5"},
                 {"0.1::real::numeric(5,3)", "0.100"},
                 {"'2024-01-01'::date", "2024-01-01"},
                 {"CAST(i AS double precision)", "7"},
                 {"n::float8", "12.35"},
                 {"'nix'::date", "MR2010"},
                 {"b::date", "MR2008"},
                 {"i::nix", "MR2014"},
                 {"i::timestamp", "MR2002"},
                 {"'{\"b\":1,\"a\":2}'::jsonb ->> 'a'", "2"}});
}

}  // namespace
}  // namespace millrace
