// docs/sql.md names every function, operator and aggregate that there is, and no other.

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "millrace/expr/functions.h"
#include "millrace/sql/aggregate_types.h"

namespace millrace {
namespace {

std::string ReadReference() {
  std::ostringstream text;
  text << std::ifstream(MILLRACE_SQL_REFERENCE).rdbuf();
  return text.str();
}

/// The code spans in the first column of the tables below a heading, up to their arguments.
std::set<std::string> NamesBelow(const std::string& heading) {
  std::istringstream lines(ReadReference());
  std::string line;
  while (std::getline(lines, line) && line != heading) {
  }
  std::set<std::string> names;
  while (std::getline(lines, line) && !line.starts_with("##")) {
    const size_t end = line.find(" | ");
    if (!line.starts_with("| `") || end == std::string::npos) {
      continue;
    }
    const std::string cell = line.substr(0, end);
    for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const size_t close = cell.find('`', at + 1);
      std::string name = cell.substr(at + 1, close - at - 1);
      std::erase(name, '\\');  // A bar is escaped in a table.
      names.insert(name.substr(0, name.find('(')));
      at = close;
    }
  }
  return names;
}

TEST(ReferenceTest, NamesAllFunctionsAndOperators) {
  std::set<std::string> documented = NamesBelow("### Functions");
  documented.merge(NamesBelow("### Operators"));
  const auto names = FunctionNames();
  EXPECT_EQ(documented, std::set<std::string>(names.begin(), names.end()));
}

TEST(ReferenceTest, NamesAllAggregates) {
  const auto names = internal::AggregateNames();
  EXPECT_EQ(NamesBelow("### Aggregates"), std::set<std::string>(names.begin(), names.end()));
}

}  // namespace
}  // namespace millrace
