#include "millrace/app/project.h"

#include <fmt/format.h>

#include "millrace/connect/connector.h"

namespace millrace {

Result<Project> LoadProject(FileSystem& files, const std::string& directory,
                            std::vector<ProjectError>* errors) {
  auto entries = files.List(directory);
  if (!entries) {
    return Err(Error(
        ErrorCode::kProjectNotFound,
        fmt::format("cannot read project directory {}: {}", directory, entries.error().message())));
  }
  constexpr uint64_t kSqlBytesMax = 1 << 20;
  std::vector<SqlFile> sql;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.is_directory || !entry.name.ends_with(".sql")) {
      continue;
    }
    const std::string path = JoinPath(directory, entry.name);
    auto text = ReadWholeFile(files, path, kSqlBytesMax);
    if (!text) {
      const bool too_large = text.error().code() == ErrorCode::kRecordTooLarge;
      return Err(
          Error(too_large ? ErrorCode::kSqlTooLarge : text.error().code(), text.error().message()));
    }
    sql.push_back({.path = path, .text = *std::move(text)});
  }
  if (sql.empty()) {
    return std::unexpected(
        Error(ErrorCode::kProjectNotFound, fmt::format("{} holds no .sql file", directory))
            .WithHint("`millrace init DIR` makes a project to start from"));
  }
  MR_ASSIGN(auto definition, CompileProject(sql, {.check_connector = CheckConnector}, errors));
  return Project{.directory = directory, .definition = std::move(definition)};
}

void CheckSources(FileSystem& files, const Project& project, std::vector<ProjectError>& errors) {
  for (const TableDefinition& table : project.definition.tables) {
    const Connector* const connector = FindConnector(table);
    if (connector == nullptr || connector->preflight == nullptr) {
      continue;
    }
    if (auto checked = connector->preflight(table, project.directory, files); !checked) {
      errors.push_back({table.location, checked.error()});
    }
  }
}

}  // namespace millrace
