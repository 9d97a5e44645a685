#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"
#include "millrace/stream/transport.h"

namespace millrace::golden {

/// Rows as the lines of a golden file show them, each with how often it is there.
using RowCounts = std::map<std::string, int64_t>;

/// "name | name".
std::string HeaderLine(const Schema& schema);

/// "value | value": PostgreSQL's text forms, real and double precision with the digits that do not
/// depend on the order of a sum. NULL is NULL; text that would read as something else is quoted.
std::string RowLine(const Batch& batch, size_t row);

/// The sum of all durable changes of a stream.
Result<RowCounts> NetRows(Transport& transport, const std::string& stream);

/// The same for a stream of error rows: what each line says, without the time. The weight counts.
Result<RowCounts> NetErrors(Transport& transport, const std::string& stream);
std::string_view ErrorHeaderLine();

/// Each row as often as it is there, sorted. kWithoutPositive when a count is negative.
Result<std::vector<std::string>> Lines(const RowCounts& counts);

/// "+ row" and "- row" for each time that a row is there more or less often than before, sorted by
/// row.
std::vector<std::string> ChangeLines(const RowCounts& before, const RowCounts& now);

}  // namespace millrace::golden
