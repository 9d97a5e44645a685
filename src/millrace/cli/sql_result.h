#pragma once

#include <string>
#include <string_view>

#include "millrace/base/error.h"
#include "millrace/base/result.h"

namespace millrace {

enum class SqlFormat : uint8_t {
  kTable,
  kCsv,   ///< RFC 4180 with a header; NULL is nothing, an empty text is "".
  kJson,  ///< One object per row and line.
};

/// Prints an answer of POST /api/v1/query for people or programs; numbers keep all their digits.
/// Below a table stands how many rows there are. kServerUnreachable when it is no such answer.
Result<std::string> FormatSqlAnswer(std::string_view answer, SqlFormat format);

/// The error and, where its message begins with "line 2, column 5:", that line of the SQL with a
/// mark.
std::string FormatSqlError(const Error& error, std::string_view sql);

}  // namespace millrace
