// docs/sql.md names every aggregate that there is, and no other; docs/functions.md has an example
// of every function and operator, with the answer that it gives.

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "millrace/expr/functions.h"
#include "millrace/sql/aggregate_types.h"
#include "millrace/sql/expression_testing.h"

namespace millrace {
namespace {

std::string ReadFile(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// The code spans of a cell, without the backslashes that hide a bar from the table.
std::vector<std::string> CodeSpans(const std::string& cell) {
  std::vector<std::string> spans;
  for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
    const size_t close = cell.find('`', at + 1);
    std::string span = cell.substr(at + 1, close - at - 1);
    for (size_t bar = span.find("\\|"); bar != std::string::npos; bar = span.find("\\|", bar)) {
      span.erase(bar, 1);
    }
    spans.push_back(std::move(span));
    at = close;
  }
  return spans;
}

/// The cells of the rows of all tables whose first cell is code.
std::vector<std::vector<std::string>> TableRows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("| `")) {
      continue;
    }
    std::vector<std::string> cells(1);
    for (size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '|' && line[i - 1] != '\\') {
        cells.emplace_back();
      } else {
        cells.back() += line[i];
      }
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

/// The code spans in the first column of the tables below a heading, up to their arguments.
std::set<std::string> NamesBelow(const std::string& text, const std::string& heading) {
  const size_t begin = text.find(heading + "\n");
  const size_t end = text.find("\n#", begin + heading.size());
  std::set<std::string> names;
  for (const auto& cells : TableRows(text.substr(begin, end - begin))) {
    for (const std::string& span : CodeSpans(cells[0])) {
      names.insert(span.substr(0, span.find('(')));
    }
  }
  return names;
}

/// "`x`", NULL, "error 3001" and "empty", as EvaluateSql gives them.
std::vector<std::string> Answers(const std::string& cell) {
  std::vector<std::string> answers;
  constexpr std::string_view kBreak = "<br>";
  for (size_t at = 0; at != std::string::npos;) {
    const size_t end = cell.find(kBreak, at);
    const std::string part = cell.substr(at, end - at);
    const auto spans = CodeSpans(part);
    const size_t error = part.find("error ");
    answers.push_back(!spans.empty()                           ? spans[0]
                      : error != std::string::npos             ? part.substr(error, 10)
                      : part.find("NULL") != std::string::npos ? "NULL"
                                                               : "");
    at = end == std::string::npos ? end : end + kBreak.size();
  }
  return answers;
}

/// The names of the functions that an expression calls.
void CollectCalls(const Expression& expression, std::set<std::string_view>& names) {
  if (expression.function != nullptr) {
    names.insert(expression.function->name);
  }
  for (const ExpressionPtr& argument : expression.arguments) {
    CollectCalls(*argument, names);
  }
}

/// A compile error and a row error of the same code are written alike.
std::string Shown(const std::string& answer) {
  const bool error = answer.starts_with('!') || answer.starts_with("MR");
  return error ? "error " + answer.substr(answer.size() - 4) : answer;
}

TEST(ReferenceTest, ShowsAnExampleOfEveryFunctionWithItsAnswer) {
  std::set<std::string_view> called;
  for (const auto& cells : TableRows(ReadFile(MILLRACE_FUNCTION_REFERENCE))) {
    ASSERT_GE(cells.size(), 4U) << cells[0];
    const auto examples = CodeSpans(cells[2]);
    const auto answers = Answers(cells[3]);
    ASSERT_EQ(examples.size(), answers.size()) << cells[0];
    for (size_t i = 0; i < examples.size(); ++i) {
      EXPECT_EQ(Shown(EvaluateSql(examples[i])), answers[i]) << examples[i];
      if (const auto bound = BindExpression(examples[i])) {
        CollectCalls(*bound->expression, called);
      }
    }
  }
  for (const std::string_view name : FunctionNames()) {
    EXPECT_TRUE(called.contains(name)) << name << " has no example";
  }
}

TEST(ReferenceTest, NamesOnlyFunctionsThatThereAre) {
  for (const auto& cells : TableRows(ReadFile(MILLRACE_FUNCTION_REFERENCE))) {
    for (const std::string& span : CodeSpans(cells[0])) {
      const std::string name = span.substr(0, span.find('('));
      const bool word = name == "trim" || name == "at AT TIME ZONE zone" ||
                        name.find("LIKE") != std::string::npos;
      EXPECT_TRUE(word || IsFunctionName(name)) << span;
    }
  }
}

TEST(ReferenceTest, NamesAllAggregates) {
  const auto names = internal::AggregateNames();
  EXPECT_EQ(NamesBelow(ReadFile(MILLRACE_SQL_REFERENCE), "### Aggregates"),
            std::set<std::string>(names.begin(), names.end()));
}

}  // namespace
}  // namespace millrace
