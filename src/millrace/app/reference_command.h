#pragma once

#include <string>

namespace millrace {

/// `millrace reference PAGE`: prints docs/reference/PAGE.md from the tables of the code. Returns
/// the exit status.
int PrintReference(const std::string& page);

}  // namespace millrace
