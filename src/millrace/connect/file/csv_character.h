#pragma once

#include <string>

#include "millrace/base/result.h"

namespace millrace {

// Options that are one character of CSV.

/// The character that an option names: itself, a tabulator for "tab", or '\0' for none.
char CsvCharacterOf(const std::string& option);

/// kConfigInvalidValue unless the option names an ASCII character that is no line end, or is empty
/// and `may_miss`.
Status CheckCsvCharacter(const std::string& option, bool may_miss);

}  // namespace millrace
