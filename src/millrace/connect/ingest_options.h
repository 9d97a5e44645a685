#pragma once

#include <vector>

#include "millrace/base/options.h"
#include "millrace/connect/stream_ingestor.h"

namespace millrace {

/// The WITH options of every table whose records are decoded, whatever their connector.
const OptionTable<StreamIngestor::Options>& IngestOptionTable();

/// Adds what is wrong between these options and the table's columns to `errors`.
void CheckIngestOptions(const TableDefinition& table, std::vector<ProjectError>& errors);

}  // namespace millrace
