#include "millrace/connect/connector.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "millrace/base/nearest_name.h"
#include "millrace/connect/blackhole_connector.h"
#include "millrace/connect/column_options.h"
#include "millrace/connect/datagen/datagen_connector.h"
#include "millrace/connect/file/file_connector.h"
#include "millrace/connect/http_connector.h"
#include "millrace/connect/nexmark/nexmark_connector.h"
#include "millrace/plan/definition_options.h"

namespace millrace {

namespace {

constexpr std::string_view kDefaultConnector = "http";

struct ConnectorOptions {
  std::string connector{kDefaultConnector};
};

const OptionTable<ConnectorOptions>& ConnectorOptionTable() {
  static const OptionTable<ConnectorOptions> kTable = [] {
    OptionTable<ConnectorOptions> table;
    table.Add("connector", &ConnectorOptions::connector, "Where the records come from.");
    return table;
  }();
  return kTable;
}

ProjectError RefuseConnector(const WithOption& option) {
  std::vector<std::string_view> names;
  std::string list;
  for (const Connector& connector : AllConnectors()) {
    names.push_back(connector.name);
    list += fmt::format("{}{}", list.empty() ? "" : ", ", connector.name);
  }
  const std::string nearest = NearestName(option.text, names);
  const Error error(ErrorCode::kConfigInvalidValue,
                    fmt::format("there is no connector '{}'", option.text));
  return {option.location,
          error.WithHint(nearest.empty() ? fmt::format("there is {}", list)
                                         : fmt::format("did you mean '{}'?", nearest))};
}

}  // namespace

std::span<const Connector> AllConnectors() {
  static const std::array kConnectors{MakeHttpConnector(), MakeFileConnector(),
                                      MakeDatagenConnector(), MakeNexmarkConnector(),
                                      MakeBlackholeConnector()};
  return kConnectors;
}

const Connector* FindConnector(const TableDefinition& table) {
  const std::string name = ReadConnectorOptions(table, ConnectorOptionTable()).connector;
  const auto found = std::ranges::find(AllConnectors(), name, &Connector::name);
  return found == AllConnectors().end() ? nullptr : &*found;
}

SchemaPtr DeclaredSchema(const TableDefinition& table) {
  std::vector<Field> declared;
  for (size_t i = 0; i < table.schema->size(); ++i) {
    if (std::ranges::find(table.generated, i, &GeneratedColumn::column) == table.generated.end()) {
      declared.push_back(table.schema->field(i));
    }
  }
  return MakeSchema(std::move(declared));
}

void CheckOptionNames(const TableDefinition& table, std::vector<const OptionTableBase*> known,
                      std::vector<ProjectError>& errors) {
  known.push_back(&ConnectorOptionTable());
  known.push_back(&TableOptionTable());  // For the nearest name.
  OptionSources sources;
  sources.AddWith(table.options, table.location);
  RefuseUnknownOptions(sources, known, errors);
}

void CheckConnector(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const Connector* connector = FindConnector(table);
  if (connector == nullptr) {
    errors.push_back(RefuseConnector(table.options.at("connector")));
    return;
  }
  TableDefinition own = table;
  if (connector->column_options != nullptr) {
    std::erase_if(own.options, [](const auto& option) { return IsColumnOption(option.first); });
    CheckColumnOptions(table, *connector->column_options, errors);
  }
  CheckOptionNames(own, connector->option_tables, errors);
  if (table.is_direct && !connector->can_be_direct) {
    errors.push_back(
        {table.location,
         Error(ErrorCode::kNotImplemented,
               fmt::format("storage = 'direct' is for connector = 'file', and not yet for '{}'",
                           connector->name))});
  }
  connector->check(table, errors);
}

}  // namespace millrace
