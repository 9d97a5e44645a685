#include "millrace/connect/ingest_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/codec/json_field_tree.h"
#include "millrace/connect/column_options.h"
#include "millrace/connect/connector.h"

namespace millrace {

template <>
struct OptionCodec<TimestampFormat> {
  static constexpr std::string_view kType = "text";
  static Result<TimestampFormat> Parse(const Setting& setting) {
    return TimestampFormat::Parse(setting.text);
  }
  static std::string Print(const TimestampFormat& value) { return value.text(); }
};

template <>
struct OptionCodec<LocalTime> {
  static constexpr std::string_view kType = "text";
  static Result<LocalTime> Parse(const Setting& setting) { return LocalTime::Find(setting.text); }
  static std::string Print(const LocalTime& value) { return value.name(); }
};

namespace {

constexpr std::string_view kRestColumn = "_rest";

/// The fields of columns that say where their value stands.
FieldPaths ReadFieldPaths(const TableDefinition& table, std::vector<ProjectError>& errors) {
  FieldPaths paths;
  for (size_t column = 0; column < table.schema->size(); ++column) {
    const auto from = ReadColumnOptions(table, column, FieldOptionTable(), errors).from;
    if (!from) {
      continue;
    }
    const std::string& name = table.schema->field(column).name;
    const SourceLocation& location = ColumnOptionLocation(table, column, "from");
    if (std::ranges::find(table.generated, column, &GeneratedColumn::column) !=
        table.generated.end()) {
      errors.push_back({location, Error(ErrorCode::kSqlInvalidDefinition,
                                        fmt::format("{} is a generated column", name))});
    } else if (auto parsed = ParseFieldPaths(*from); !parsed) {
      errors.push_back({location, parsed.error()});
    } else {
      paths.emplace(name, *std::move(parsed));
    }
  }
  return paths;
}

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
    table.Add(
        "timestamp_format", [](auto& options) -> auto& { return options.json.timestamp_format; },
        "Form of timestamps: iso, epoch_seconds, epoch_millis, epoch_micros, or a pattern such as "
        "yyyy-MM-dd HH:mm:ss[.f].");
    table.Add(
        "time_zone", [](auto& options) -> auto& { return options.json.time_zone; },
        "Zone of timestamps that name none: a name such as Europe/Berlin, or local for the "
        "machine's.");
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

const OptionTable<FieldOptions>& FieldOptionTable() {
  static const OptionTable<FieldOptions> kTable = [] {
    OptionTable<FieldOptions> table;
    table.Add("from", &FieldOptions::from,
              "The field of a JSON record that the column is filled from: names of nested objects "
              "with dots between, such as bid.price; with bars between several, of which a record "
              "has one.");
    return table;
  }();
  return kTable;
}

StreamIngestor::Options ReadIngestOptions(const TableDefinition& table) {
  std::vector<ProjectError> errors;
  auto options = ReadConnectorOptions(table, IngestOptionTable(), errors);
  options.json.paths = ReadFieldPaths(table, errors);
  const Connector* const connector = FindConnector(table);
  options.idle_by_timeout = connector == nullptr || connector->open == nullptr;
  if (connector != nullptr && connector->makes_rows) {
    options.watermark_ahead_max = std::chrono::microseconds(kTimestampMax);
  }
  return options;
}

void CheckIngestOptions(const TableDefinition& table, std::vector<ProjectError>& errors) {
  const size_t before = errors.size();
  const auto options = ReadConnectorOptions(table, IngestOptionTable(), errors);
  const FieldPaths paths = ReadFieldPaths(table, errors);
  const bool keep = options.json.undeclared == UndeclaredFields::kKeep;
  const SchemaPtr declared = DeclaredSchema(table);
  const auto rest = declared->Find(kRestColumn);
  const auto refuse = [&](const SourceLocation& location, const Error& error) {
    errors.push_back({location, error});
  };
  if (keep && (!rest || declared->field(*rest).type.id != TypeId::kJsonb)) {
    refuse(table.options.at("undeclared_fields").location,
           Error(ErrorCode::kSqlInvalidDefinition,
                 "undeclared_fields = 'keep' needs a column of type jsonb for them")
               .WithHint("declare the column _rest jsonb"));
  } else if (keep && !paths.empty()) {
    refuse(table.options.at("undeclared_fields").location,
           Error(ErrorCode::kSqlInvalidDefinition,
                 "undeclared_fields = 'keep' does not go together with columns that say from"));
  } else if (errors.size() == before) {
    const auto tree = json::FieldTree::Make(*declared, paths, declared->size());
    if (!tree) {
      refuse(table.location, tree.error());
    }
  }
}

}  // namespace millrace
