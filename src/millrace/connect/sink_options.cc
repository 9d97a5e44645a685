#include "millrace/connect/sink_options.h"

#include <utility>

#include <fmt/format.h>

namespace millrace {

const OptionTable<SinkRunner::Options>& SinkOptionTable() {
  using Options = SinkRunner::Options;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .Add("flush_interval", &Options::flush_interval,
             "How long rows wait at most until they are final in the target.")
        .Between("10 ms", "1 d");
    table
        .AddBytes("flush_bytes", &Options::flush_bytes,
                  "Memory for rows that wait; when it is used up they do not wait longer.")
        .Between("1 KiB", "1 GiB");
    return table;
  }();
  return kTable;
}

void CheckSink(const SinkDefinition& sink, std::vector<ProjectError>& errors) {
  const TableDefinition& table = sink.table;
  const Connector* const connector = FindConnector(table);
  if (connector == nullptr || connector->make_sink == nullptr) {
    const auto option = table.options.find("connector");
    std::string names;
    for (const Connector& each : AllConnectors()) {
      if (each.make_sink != nullptr) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
      }
    }
    errors.push_back(
        {option == table.options.end() ? table.location : option->second.location,
         Error(ErrorCode::kSqlInvalidDefinition,
               fmt::format("INSERT INTO needs a table with a sink: {} has none", table.name))
             .WithHint(fmt::format("connectors with a sink: {}", names))});
    return;
  }
  std::vector<const OptionTableBase*> tables = connector->sink_option_tables;
  tables.push_back(&SinkOptionTable());
  CheckOptionNames(table, std::move(tables), errors);
  (void)ReadConnectorOptions(table, SinkOptionTable(), errors);
  connector->check_sink(table, errors);
  if (sink.retracts && !connector->shows_changes(table)) {
    errors.push_back(
        {sink.location,
         Error(ErrorCode::kSqlInvalidDefinition,
               fmt::format("the query takes rows back, which {} cannot show", table.name))
             .WithHint("a view with emit = 'final' does not; change_column = 'op' "
                       "adds a column that says so to files")});
  }
}

std::unique_ptr<SinkRunner> MakeSinkRunner(const TableDefinition& table, const StreamInfo& stream,
                                           const SinkSurroundings& surroundings) {
  auto options = ReadConnectorOptions(table, SinkOptionTable());
  options.metrics = surroundings.metrics;
  const auto make = [table, connector = FindConnector(table),
                     context = SinkContext{.files = surroundings.files,
                                           .project_dir = surroundings.project_dir}]() {
    return connector->make_sink(table, context);
  };
  return std::make_unique<SinkRunner>(table.name, stream, make, surroundings.transport,
                                      surroundings.clock, options, surroundings.wake);
}

}  // namespace millrace
