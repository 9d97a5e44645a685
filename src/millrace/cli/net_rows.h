#pragma once

#include <cstdint>
#include <string>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"
#include "millrace/cli/change_reader.h"

namespace millrace {

/// The rows that a change stream amounts to.
struct NetRows {
  int64_t count = 0;
  /// Sum over the rows of the xxh3-64 of their JSON text: equal rows in any order give equal sums.
  uint64_t digest = 0;
  bool has_retractions = false;
};

/// All that `changes` has.
Result<NetRows> ReadNetRows(ChangeReader& changes);

/// Writes the rows to a file, one JSON object per line, a row as often as it is there; replaces
/// what the file had. `rows` is what ReadNetRows said. With retractions all rows are in memory.
Status WriteNetRows(ChangeReader& changes, const NetRows& rows, FileSystem& files,
                    const std::string& path);

}  // namespace millrace
