#include "millrace/sql/compile_project.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "millrace/sql/catalog.h"

namespace millrace {

Result<ProjectDefinition> CompileProject(std::span<const SqlFile> files,
                                         const CompileOptions& options,
                                         std::vector<ProjectError>* errors) {
  std::vector<ProjectError> found;
  internal::Catalog catalog(options, found);
  for (const SqlFile& file : files) {
    auto script = internal::Script::Parse(file);
    if (!script) {
      found.push_back(
          {internal::Script::Locate(file, script.error().offset), script.error().error});
    } else {
      catalog.Add(*std::move(script));
    }
  }
  ProjectDefinition project = catalog.BindAll();
  if (found.empty()) {
    return project;
  }
  std::ranges::stable_sort(found, {}, [](const ProjectError& error) {
    return std::tie(error.location.file, error.location.line, error.location.column);
  });
  const ProjectError& first = found.front();
  Error error = first.error.WithContext(first.location.ToString());
  if (errors != nullptr) {
    *errors = std::move(found);
  }
  return Err(std::move(error));
}

}  // namespace millrace
