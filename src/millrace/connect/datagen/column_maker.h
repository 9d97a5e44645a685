#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "millrace/base/result.h"
#include "millrace/connect/datagen/datagen_options.h"
#include "millrace/connect/datagen/row_times.h"
#include "millrace/data/column.h"
#include "millrace/data/schema.h"

namespace millrace {

/// Makes the values of one column for rows [first, first + count), column by column.
using ColumnMaker = std::function<Column(uint64_t first, size_t count)>;

/// Chooses how a column is made. `seed`: of the table, mixed; each column draws for itself, by its
/// name. Errors: kConfigInvalidValue and kSqlTypeMismatch, and `option` is the one that is wrong.
Result<ColumnMaker> MakeColumnMaker(const Field& field, const DatagenColumnOptions& options,
                                    uint64_t seed, const RowTimes& times, std::string& option);

}  // namespace millrace
