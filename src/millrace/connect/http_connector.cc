#include "millrace/connect/http_connector.h"

#include "millrace/connect/ingest_options.h"

namespace millrace {

namespace {

enum class HttpFormat : uint8_t { kJson };

struct HttpConnectorOptions {
  HttpFormat format = HttpFormat::kJson;
};

const OptionTable<HttpConnectorOptions>& HttpConnectorOptionTable() {
  static const OptionTable<HttpConnectorOptions> kTable = [] {
    OptionTable<HttpConnectorOptions> table;
    table.AddChoice("format", &HttpConnectorOptions::format, {{"json", HttpFormat::kJson}},
                    "Form of the records: an object, an array of objects, or one object per line.");
    return table;
  }();
  return kTable;
}

void Check(const TableDefinition& table, std::vector<ProjectError>& errors) {
  (void)ReadConnectorOptions(table, HttpConnectorOptionTable(), errors);
  CheckIngestOptions(table, errors);
}

}  // namespace

Connector MakeHttpConnector() {
  return {.name = "http",
          .help = "Clients post records to `/api/v1/streams/{table}/records`.",
          .option_tables = {&HttpConnectorOptionTable(), &IngestOptionTable()},
          .column_options = &FieldOptionTable(),
          .check = Check};
}

}  // namespace millrace
