// What one expression costs per row: a view's SELECT over batches of web clicks.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/rng.h"
#include "millrace/data/column_builder.h"
#include "millrace/expr/evaluator.h"
#include "millrace/sql/compile_project.h"

namespace millrace::bench {
namespace {

constexpr size_t kRows = 4096;

constexpr std::string_view kTable =
    "CREATE TABLE t (url text, user_id text, price numeric(12,2), n integer, d double precision, "
    "at timestamptz, j jsonb)";

BatchPtr Clicks(const SchemaPtr& schema) {
  Rng rng(1);
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema->fields()) {
    builders.emplace_back(field.type);
  }
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < builders.size(); ++i) {
      ColumnBuilder& builder = builders[i];
      const std::string& name = schema->field(i).name;
      if (name == "url") {
        builder.AppendText(fmt::format("https://www.example.com/shop/item{}/page?channel_id={}&s=1",
                                       rng.Below(1000), rng.Below(100)));
      } else if (name == "user_id") {
        builder.AppendText(fmt::format("User{}", rng.Below(10'000)));
      } else if (name == "price") {
        builder.AppendFixed(static_cast<Int128>(rng.Below(10'000'000)));
      } else if (name == "n") {
        builder.AppendFixed(static_cast<int32_t>(rng.Below(1000)));
      } else if (name == "d") {
        builder.AppendFixed(rng.Unit() * 1000);
      } else if (name == "at") {
        builder.AppendFixed(static_cast<Micros>(1'700'000'000'000'000 + rng.Below(1ULL << 44)));
      } else {
        builder.AppendText(fmt::format(R"({{"a":{{"b":[1,2.5,"x"]}},"n":{},"s":"text{}"}})",
                                       rng.Below(1000), rng.Below(1000)));
      }
    }
  }
  std::vector<Column> columns;
  columns.reserve(builders.size());
  for (ColumnBuilder& builder : builders) {
    columns.push_back(builder.Finish());
  }
  return Batch::Make(schema, std::move(columns), kRows);
}

void Evaluate(benchmark::State& state, const std::string& expression) {
  const SqlFile file{
      "bench.sql",
      fmt::format("{}; CREATE MATERIALIZED VIEW v AS SELECT {} AS x FROM t", kTable, expression)};
  std::vector<ProjectError> errors;
  const auto project = CompileProject({&file, 1}, {}, &errors);
  MR_CHECK(project.has_value(), "{}", errors.front().ToString());
  const PlanNode& plan = *project->views.front().plan;
  const BatchPtr batch = Clicks(plan.inputs[0]->schema);
  const Evaluator evaluator(plan.project.expressions[0]);
  for (auto _ : state) {
    RowErrors row_errors;
    benchmark::DoNotOptimize(evaluator.Evaluate(*batch, row_errors));
    MR_CHECK(row_errors.empty(), "{}", row_errors.entries().front().message);
  }
  state.counters["ns/row"] = benchmark::Counter(
      kRows / 1e9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

constexpr std::string_view kExpressions[] = {
    "0.908 * price",
    "n + 1",
    "lower(user_id)",
    "length(url)",
    "left(url, 20)",
    "substring(url from 9 for 15)",
    "split_part(url, '/', 4)",
    "replace(url, 'shop', 'store')",
    "user_id || '/' || n",
    "lpad(n::text, 6, '0')",
    "url LIKE '%channel_id=7%'",
    "url ~ 'channel_id=7'",
    "url ~ '^https://.*/item[0-9]+/'",
    "regexp_substr(url, 'channel_id=([^&]*)', 1, 1, '', 1)",
    "regexp_replace(url, '[0-9]+', '#', 'g')",
    "md5(url)",
    "format('%s:%s', user_id, n)",
    "round(price, 1)",
    "sqrt(d)",
    "sqrt(price)",
    "ln(price + 1)",
    "date_trunc('hour', at)",
    "date_trunc('day', at, 'Europe/Berlin')",
    "extract(hour FROM at)",
    "extract(year FROM at)",
    "at AT TIME ZONE 'Europe/Berlin'",
    "to_char(at, 'YYYY-MM-DD HH24:MI')",
    "to_char(price, 'FM999,999,990.00')",
    "at + interval '1 month'",
    "j ->> 's'",
    "j #>> '{a,b,2}'",
    "j @> '{\"a\":{}}'",
    "jsonb_build_object('u', user_id, 'n', n)",
    "CASE WHEN n < 100 THEN 'low' WHEN n < 500 THEN 'mid' ELSE 'high' END",
};

[[maybe_unused]] const bool kRegistered = [] {
  for (const std::string_view expression : kExpressions) {
    benchmark::RegisterBenchmark(fmt::format("Evaluate/{}", expression).c_str(), Evaluate,
                                 std::string(expression));
  }
  return true;
}();

}  // namespace
}  // namespace millrace::bench
