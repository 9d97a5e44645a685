#include "millrace/connect/ingest_options.h"

#include <algorithm>

#include "millrace/connect/connector.h"

namespace millrace {

namespace {

constexpr std::string_view kRestColumn = "_rest";

}  // namespace

const OptionTable<StreamIngestor::Options>& IngestOptionTable() {
  using Options = StreamIngestor::Options;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table.AddChoice(
        "undeclared_fields", [](auto& options) -> auto& { return options.json.undeclared; },
        {{"ignore", UndeclaredFields::kIgnore},
         {"keep", UndeclaredFields::kKeep},
         {"error", UndeclaredFields::kError}},
        "What happens to fields that no column declares; keep puts them into a column _rest "
        "jsonb.");
    table
        .AddBytes(
            "record_bytes_max",
            [](auto& options) -> auto& { return options.json.record_bytes_max; },
            "Largest record; a larger one becomes an error row.")
        .Between("1 B", "64 MiB");
    table
        .Add(
            "record_depth_max", [](auto& options) -> auto& { return options.json.depth_max; },
            "Levels of nested objects and arrays in a record.")
        .Between("1", "512");
    table
        .Add("idle_timeout", &Options::idle_timeout,
             "After this long without records a partition no longer holds windows back.")
        .Between("1 s", "365 d");
    table
        .Add("watermark_ahead_max", &Options::watermark_ahead_max,
             "Records further ahead of the wall clock do not move the watermark.")
        .Between("0", "36525 d");
    return table;
  }();
  return kTable;
}

void CheckIngestOptions(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const auto options = ReadConnectorOptions(table, IngestOptionTable(), errors);
  if (options.json.undeclared != UndeclaredFields::kKeep) {
    return;
  }
  const auto column = table.schema->Find(kRestColumn);
  const bool declared =
      column && std::ranges::find(table.generated, *column, &GeneratedColumn::column) ==
                    table.generated.end();
  if (!declared || table.schema->field(*column).type.id != TypeId::kJsonb) {
    errors.push_back({table.options.at("undeclared_fields").location,
                      Error(ErrorCode::kSqlInvalidDefinition,
                            "undeclared_fields = 'keep' needs a column of type jsonb for them")
                          .WithHint("declare the column _rest jsonb")});
  }
}

}  // namespace millrace
