#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/base/source_location.h"
#include "millrace/connect/error_replay.h"
#include "millrace/connect/sink.h"
#include "millrace/connect/source.h"
#include "millrace/plan/definitions.h"

namespace millrace {

/// A kind of source or sink, as the option `connector` of CREATE TABLE names it. One constant per
/// kind, beside its code; connector.cc lists them.
struct Connector {
  std::string_view name;
  std::string_view help;  ///< One sentence, for the reference.
  /// The tables of its WITH options. With `connector` and TableOptionTable they are all that a
  /// table may have.
  std::vector<const OptionTableBase*> option_tables;
  /// The options of single columns, column_options.h; null when there are none.
  const OptionTableBase* column_options = nullptr;
  /// Reads the options of `table`, and adds what is wrong with them and between them to `errors`.
  void (*check)(const TableDefinition& table, std::vector<ProjectError>& errors) = nullptr;
  /// Looks at what a source would read, before anything is started: whether files are there. Null:
  /// nothing to look at.
  Status (*preflight)(const TableDefinition& table, const std::string& project_dir,
                      FileSystem& files) = nullptr;
  /// Opens the source of a table that has passed `check`. Null: records come from clients.
  Result<std::unique_ptr<Source>> (*open)(const TableDefinition& table,
                                          const SourceContext& context) = nullptr;
  // As the target of INSERT INTO (sink_options.h). Without make_sink it is none.
  /// With `connector` and SinkOptionTable all that such a table may have.
  std::vector<const OptionTableBase*> sink_option_tables;
  void (*check_sink)(const TableDefinition& table, std::vector<ProjectError>& errors) = nullptr;
  /// Whether the table can show that a row is taken back.
  bool (*shows_changes)(const TableDefinition& table) = nullptr;
  /// Makes the sink of a table that has passed `check_sink`; it is not open yet.
  Result<std::unique_ptr<Sink>> (*make_sink)(const TableDefinition& table,
                                             const SinkContext& context) = nullptr;

  /// Whether a table may be storage = 'direct': the source commits each split to one partition.
  bool can_be_direct = false;
  /// Whether a direct table's records can be read without the columns that no view reads; null: no.
  bool (*can_skip_columns)(const TableDefinition& table) = nullptr;

  /// How the records in error rows are read, of a table that has passed `check`; null: as JSON.
  Result<ErrorReplay::Format> (*error_format)(const StreamIngestor& ingestor) = nullptr;

  /// Rows are made up, and so are their times: however far ahead, they move the watermark.
  bool makes_rows = false;
};

/// All kinds, in the order of the reference.
std::span<const Connector> AllConnectors();

/// The kind of a table; "http" for one without the option. Null when there is no such kind.
const Connector* FindConnector(const TableDefinition& table);

/// The columns that records carry: without generated ones.
SchemaPtr DeclaredSchema(const TableDefinition& table);

/// Adds what is wrong with the options of a table that are its connector's: kConfigUnknownKey,
/// kConfigInvalidValue, kConfigMissingValue, kSqlInvalidDefinition. A table that passes can be read
/// with ReadConnectorOptions.
void CheckConnector(const TableDefinition& table, std::vector<ProjectError>& errors);

/// Adds options of a table that are neither in `known` nor `connector`: kConfigUnknownKey.
void CheckOptionNames(const TableDefinition& table, std::vector<const OptionTableBase*> known,
                      std::vector<ProjectError>& errors);

/// Reads the options of `table` that `options` declares.
template <typename T>
T ReadConnectorOptions(const TableDefinition& table, const OptionTable<T>& options,
                       std::vector<ProjectError>& errors) {
  OptionSources sources;
  sources.AddWith(table.options, table.location);
  return options.Read(sources, errors);
}

/// As above, for a table that has passed CheckConnector.
template <typename T>
T ReadConnectorOptions(const TableDefinition& table, const OptionTable<T>& options) {
  std::vector<ProjectError> errors;
  return ReadConnectorOptions(table, options, errors);
}

}  // namespace millrace
