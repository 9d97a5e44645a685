#include "millrace/connect/datagen/datagen_connector.h"

#include "millrace/base/check.h"
#include "millrace/connect/datagen/datagen_options.h"
#include "millrace/connect/datagen/datagen_rows.h"
#include "millrace/connect/generate/generator_source.h"

namespace millrace {

namespace {

void Check(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const auto options = ReadConnectorOptions(table, DatagenOptionTable(), errors);
  (void)DatagenRows::Create(table, options, 0, errors);
}

Result<std::unique_ptr<Source>> Open(const TableDefinition& table, const SourceContext& context) {
  const auto options = ReadConnectorOptions(table, DatagenOptionTable());
  const auto make = [options, table](Micros start) -> std::unique_ptr<RowGenerator> {
    std::vector<ProjectError> errors;
    auto rows = DatagenRows::Create(table, options, start, errors);
    MR_CHECK(rows != nullptr, "{}", errors.front().ToString());  // Checked with the project.
    return rows;
  };
  return GeneratorSource::Open(
      {.connector = "datagen",
       .rows = options.rows == 0 ? std::nullopt : std::optional(options.rows),
       .rate = options.rate,
       .make = make},
      context, {});
}

}  // namespace

Connector MakeDatagenConnector() {
  return {.name = "datagen",
          .help = "Made-up rows: for demonstrations, tests and trying out views.",
          .option_tables = {&DatagenOptionTable()},
          .column_options = &DatagenColumnOptionTable(),
          .check = Check,
          .open = Open,
          .makes_rows = true};
}

}  // namespace millrace
