#include "millrace/app/project.h"

#include <fmt/format.h>

#include "millrace/connect/connector.h"

namespace millrace {

namespace {

constexpr uint64_t kSqlBytesMax = 1 << 20;

std::vector<SqlFile> ReadSqlFiles(FileSystem& files, const std::string& directory,
                                  std::vector<ProjectError>& errors) {
  std::vector<SqlFile> sql;
  const auto refuse = [&](const std::string& path, const Error& error) {
    const SourceLocation place{.file = path};
    errors.push_back({place, error});
  };
  const auto entries = files.List(directory);
  if (!entries) {
    refuse(directory,
           Error(ErrorCode::kProjectNotFound,
                 fmt::format("cannot read the project directory: {}", entries.error().message())));
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
    const ErrorCode code = text.error().code();
    refuse(path, Error(code == ErrorCode::kRecordTooLarge ? ErrorCode::kSqlTooLarge : code,
                       text.error().message()));
  }
  if (sql.empty() && errors.empty()) {
    refuse(directory, Error(ErrorCode::kProjectNotFound, "the project directory holds no .sql file")
                          .WithHint("`millrace init DIR` makes a project to start from"));
  }
  return sql;
}

}  // namespace

std::optional<Project> LoadProject(FileSystem& files, const std::string& directory,
                                   const ProcessingOptions& processing,
                                   std::vector<ProjectError>& errors) {
  std::vector<ProjectError> found;
  const std::vector<SqlFile> sql = ReadSqlFiles(files, directory, found);
  CompileOptions options{.default_grace = processing.grace_period.count(),
                         .check_connector = CheckConnector};
  if (processing.window_size) {
    options.default_window_size = processing.window_size->count();
  }
  std::vector<ProjectError> compile_errors;
  auto definition = CompileProject(sql, options, &compile_errors);
  found.insert(found.end(), compile_errors.begin(), compile_errors.end());
  errors.insert(errors.end(), found.begin(), found.end());
  if (!definition || !found.empty()) {
    return std::nullopt;
  }
  return Project{.directory = directory, .definition = *std::move(definition)};
}

}  // namespace millrace
