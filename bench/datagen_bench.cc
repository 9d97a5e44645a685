#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "millrace/base/check.h"
#include "millrace/connect/connector.h"
#include "millrace/connect/datagen/datagen_rows.h"

namespace millrace::bench {
namespace {

constexpr size_t kBlockRows = 8192;

/// Clicks: a sequence, a skewed user, a chosen page, a price and the time.
TableDefinition Clicks() {
  TableDefinition table;
  table.name = "clicks";
  table.schema = MakeSchema({{.name = "id", .type = DataType::Of(TypeId::kInt64)},
                             {.name = "user_id", .type = DataType::Of(TypeId::kText)},
                             {.name = "url", .type = DataType::Of(TypeId::kText)},
                             {.name = "price", .type = DataType::Numeric(8, 2)},
                             {.name = "at", .type = DataType::Of(TypeId::kTimestamptz)}});
  const std::map<std::string, std::string> options = {
      {"id.kind", "sequence"},     {"user_id.kind", "zipf"},
      {"user_id.count", "100000"}, {"user_id.prefix", "user-"},
      {"url.kind", "choice"},      {"url.values", "/, /cart, /search, /about"},
      {"url.weights", "5,2,2,1"},  {"out_of_order_share", "0.1"},
      {"out_of_order_max", "5 s"}};
  for (const auto& [name, text] : options) {
    table.options[name] = {text, {}};
  }
  return table;
}

void MakeRows(benchmark::State& state) {
  const TableDefinition table = Clicks();
  std::vector<ProjectError> errors;
  const auto options = ReadConnectorOptions(table, DatagenOptionTable(), errors);
  const auto rows = DatagenRows::Create(table, options, 0, errors);
  MR_CHECK(errors.empty());
  uint64_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rows->Make(next, kBlockRows).get());
    next += kBlockRows;
  }
  state.counters["ns/row"] = benchmark::Counter(
      static_cast<double>(kBlockRows) / 1e9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(MakeRows);

}  // namespace
}  // namespace millrace::bench
