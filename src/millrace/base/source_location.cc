#include "millrace/base/source_location.h"

#include <utility>

#include <fmt/format.h>

namespace millrace {

std::string SourceLocation::ToString() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

std::string ProjectError::ToString() const {
  return location.file.empty() ? error.ToString()
                               : fmt::format("{}: {}", location.ToString(), error.ToString());
}

ProjectError ErrorInFile(std::string file, Error error) {
  ProjectError problem{.location = {}, .error = std::move(error)};
  problem.location.file = std::move(file);
  return problem;
}

}  // namespace millrace
