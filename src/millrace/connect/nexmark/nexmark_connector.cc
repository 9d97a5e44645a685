#include "millrace/connect/nexmark/nexmark_connector.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "millrace/base/nearest_name.h"
#include "millrace/connect/generate/generator_source.h"
#include "millrace/connect/nexmark/nexmark_options.h"
#include "millrace/connect/nexmark/nexmark_rows.h"

namespace millrace {

namespace {

Error UnknownColumn(const std::string& name) {
  std::vector<std::string_view> names;
  for (const nexmark::EventColumn& column : nexmark::AllColumns()) {
    names.push_back(column.name);
  }
  const std::string nearest = NearestName(name, names);
  return Error(ErrorCode::kSqlUnknownColumn, fmt::format("Nexmark events have no column {}", name))
      .WithHint(nearest.empty() ? "docs/connectors/nexmark.md lists them"
                                : fmt::format("did you mean '{}'?", nearest));
}

void Check(const TableDefinition& table, std::vector<ProjectError>& errors) {
  (void)ReadConnectorOptions(table, NexmarkOptionTable(), errors);
  const SchemaPtr declared = DeclaredSchema(table);
  for (const Field& field : declared->fields()) {
    const nexmark::EventColumn* const column = nexmark::FindColumn(field.name);
    if (column == nullptr) {
      errors.push_back({table.location, UnknownColumn(field.name)});
    } else if (column->type != field.type) {
      errors.push_back({table.location,
                        Error(ErrorCode::kSqlTypeMismatch,
                              fmt::format("column {} of Nexmark events is {}, not {}", field.name,
                                          column->type.ToString(), field.type.ToString()))});
    } else if (!field.nullable && !column->of_all) {
      errors.push_back({table.location,
                        Error(ErrorCode::kSqlInvalidDefinition,
                              fmt::format("column {} is NULL in events of other kinds", field.name))
                            .WithHint("declare it without NOT NULL")});
    }
  }
}

Result<std::unique_ptr<Source>> Open(const TableDefinition& table, const SourceContext& context) {
  const auto options = ReadConnectorOptions(table, NexmarkOptionTable());
  const auto make = [options, schema = context.ingestor.declared_schema()](
                        Micros) -> std::unique_ptr<RowGenerator> {
    return std::make_unique<nexmark::NexmarkRows>(schema, options);
  };
  return GeneratorSource::Open(
      {.connector = "nexmark",
       .rows = options.events == 0 ? std::nullopt : std::optional(options.events),
       .rate = options.throughput,
       .make = make},
      context, {});
}

}  // namespace

Connector MakeNexmarkConnector() {
  return {.name = "nexmark",
          .help = "Events of the Nexmark benchmark: persons, auctions and bids in one table.",
          .option_tables = {&NexmarkOptionTable()},
          .check = Check,
          .open = Open,
          .makes_rows = true};
}

}  // namespace millrace
