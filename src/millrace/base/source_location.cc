#include "millrace/base/source_location.h"

#include <fmt/format.h>

namespace millrace {

std::string SourceLocation::ToString() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

std::string ProjectError::ToString() const {
  return location.file.empty() ? error.ToString()
                               : fmt::format("{}: {}", location.ToString(), error.ToString());
}

}  // namespace millrace
