#include "millrace/app/project.h"

#include <fmt/format.h>

#include "millrace/connect/connector.h"
#include "millrace/connect/sink_options.h"

namespace millrace {

namespace {

constexpr uint64_t kSqlBytesMax = 1 << 20;

std::vector<SqlFile> ReadSqlFiles(FileSystem& files, const std::string& directory,
                                  std::vector<ProjectError>& errors) {
  std::vector<SqlFile> sql;
  const auto entries = files.List(directory);
  if (!entries) {
    errors.push_back(ErrorInFile(
        directory,
        Error(ErrorCode::kProjectNotFound,
              fmt::format("cannot read the project directory: {}", entries.error().message()))));
    return sql;
  }
  for (const DirectoryEntry& entry : *entries) {
    if (entry.is_directory || !entry.name.ends_with(".sql")) {
      continue;
    }
    const std::string path = JoinPath(directory, entry.name);
    auto text = ReadWholeFile(files, path, kSqlBytesMax);
    if (text) {
      sql.push_back({.path = path, .text = *std::move(text)});
      continue;
    }
    const bool is_too_large = text.error().code() == ErrorCode::kRecordTooLarge;
    errors.push_back(
        ErrorInFile(path, Error(is_too_large ? ErrorCode::kSqlTooLarge : text.error().code(),
                                text.error().message())));
  }
  if (sql.empty() && errors.empty()) {
    errors.push_back(ErrorInFile(
        directory, Error(ErrorCode::kProjectNotFound, "the project directory holds no .sql file")
                       .WithHint("`millrace init DIR` makes a project to start from")));
  }
  return sql;
}

}  // namespace

std::optional<Project> LoadProject(FileSystem& files, const std::string& directory,
                                   const ProcessingOptions& processing,
                                   std::vector<ProjectError>& errors) {
  std::vector<ProjectError> found;
  const std::vector<SqlFile> sql = ReadSqlFiles(files, directory, found);
  ProjectText text{
      .files = {}, .default_grace = processing.grace_period.count(), .default_window_size = {}};
  if (processing.window_size) {
    text.default_window_size = processing.window_size->count();
  }
  const CompileOptions options{.default_grace = text.default_grace,
                               .default_window_size = text.default_window_size,
                               .check_connector = CheckConnector,
                               .check_sink = CheckSink};
  std::vector<ProjectError> compile_errors;
  auto definition = CompileProject(sql, options, &compile_errors);
  found.insert(found.end(), compile_errors.begin(), compile_errors.end());
  errors.insert(errors.end(), found.begin(), found.end());
  if (!definition || !found.empty()) {
    return std::nullopt;
  }
  for (const SqlFile& file : sql) {
    text.files.push_back({.path = file.path.substr(file.path.rfind('/') + 1), .text = file.text});
  }
  return Project{
      .directory = directory, .definition = *std::move(definition), .text = std::move(text)};
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
