// The statements that docs/sql.md shows make a project.

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/connect/connector.h"
#include "millrace/connect/sink_options.h"
#include "millrace/sql/compile_project.h"

namespace millrace {
namespace {

/// The blocks of SQL, one after the other.
std::string Statements(const std::string& path) {
  std::ifstream document(path);
  std::string sql;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    const bool fence = line.starts_with("```");
    sql += inside && !fence ? line + "\n" : "";
    inside = fence ? line == "```sql" : inside;
  }
  return sql;
}

TEST(Documentation, ShowsStatementsThatAreRight) {
  const std::vector<SqlFile> files{{.path = "sql.md", .text = Statements(MILLRACE_SQL_REFERENCE)}};
  std::vector<ProjectError> errors;
  const auto project =
      CompileProject(files, {.check_connector = CheckConnector, .check_sink = CheckSink}, &errors);
  for (const ProjectError& error : errors) {
    ADD_FAILURE() << error.ToString();
  }
  ASSERT_TRUE(project);
  EXPECT_GE(project->views.size(), 5U);
}

}  // namespace
}  // namespace millrace
