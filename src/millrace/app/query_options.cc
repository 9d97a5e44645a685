#include "millrace/app/query_options.h"

namespace millrace {

const OptionTable<QueryOptions>& QueryOptionTable() {
  using Options = QueryOptions;
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .Add("query.time_max", &Options::time_max,
             "Time an SQL query may take, with waiting; a request may ask for less.")
        .Between("10 ms", "1 h");
    table.Add("query.rows_max", &Options::rows_max, "Rows an SQL query may answer with.")
        .Between("1", "10000000");
    table
        .AddBytes("query.memory_bytes", &Options::memory_bytes,
                  "Memory of one SQL query: of its state and of the rows it answers with.")
        .Between("1 MiB", "1 TiB");
    table.Add("query.running_max", &Options::running_max, "SQL queries that run at once.")
        .Between("1", "256");
    table
        .Add("query.waiting_max", &Options::waiting_max,
             "SQL queries that may wait for their turn; more get status 429.")
        .Between("1", "65536");
    table.AddBytes("query.text_bytes_max", &Options::text_bytes_max, "Longest SQL text of a query.")
        .Between("1 KiB", "1 MiB");
    return table;
  }();
  return kTable;
}

}  // namespace millrace
