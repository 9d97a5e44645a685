#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// The WITH options of every table whose records are decoded, whatever their connector.
const OptionTable<StreamIngestor::Options>& IngestOptionTable();

/// How a column is filled from a record: WITH options written column.option.
struct FieldOptions {
  std::optional<std::string> from;  ///< See ParseFieldPaths.
};
const OptionTable<FieldOptions>& FieldOptionTable();

/// Reads all of a table that has passed CheckConnector, those of its columns too.
StreamIngestor::Options ReadIngestOptions(const TableDefinition& table);

/// Adds what is wrong between these options and the table's columns to `errors`.
void CheckIngestOptions(const TableDefinition& table, std::vector<ProjectError>& errors);

}  // namespace millrace
