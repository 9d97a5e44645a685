#pragma once

#include <string_view>
#include <vector>

#include "millrace/base/options.h"
#include "millrace/base/source_location.h"
#include "millrace/plan/definitions.h"

namespace millrace {

// WITH options of single columns: price.from = 'bid.price'. Names are compared without regard to
// case, as those of all options.

/// The options of one column, without its name in front.
WithOptionMap OptionsOfColumn(const TableDefinition& table, size_t column);

/// Where the option of a column stands; the table's place when it is not given.
const SourceLocation& ColumnOptionLocation(const TableDefinition& table, size_t column,
                                           std::string_view option);

/// Whether an option is one of a column, by its form.
inline bool IsColumnOption(std::string_view name) { return name.find('.') != name.npos; }

/// Adds what is wrong with the names of options of columns: kSqlUnknownColumn, kConfigUnknownKey.
void CheckColumnOptions(const TableDefinition& table, const OptionTableBase& known,
                        std::vector<ProjectError>& errors);

/// Reads the options of a column that `options` declares.
template <typename T>
T ReadColumnOptions(const TableDefinition& table, size_t column, const OptionTable<T>& options,
                    std::vector<ProjectError>& errors) {
  OptionSources sources;
  sources.AddWith(OptionsOfColumn(table, column), table.location);
  return options.Read(sources, errors);
}

}  // namespace millrace
