// Runs every *.test of this folder in every mode; README.md says how they are written.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "golden_project.h"
#include "golden_script.h"

namespace millrace::golden {
namespace {

using Kind = Directive::Kind;

/// The files that come with the sources, or those that random_queries.py has made.
std::filesystem::path Folder() {
  const char* other = std::getenv("MILLRACE_GOLDEN_DIR");
  return other == nullptr ? MILLRACE_GOLDEN_FILES : other;
}

std::vector<std::string> FileNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    if (entry.path().extension() == ".test") {
      names.push_back(entry.path().stem());
    }
  }
  std::ranges::sort(names);
  return names;
}

std::filesystem::path PathOf(const std::string& name) { return Folder() / (name + ".test"); }

std::string ReadFile(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Set to rewrite the files with what comes out, for review with `git diff`.
bool Rewrites() { return std::getenv("MILLRACE_GOLDEN_REWRITE") != nullptr; }

GoldenProject::Answer Nothing(const Status& status) {
  MR_TRY(status);
  return std::vector<std::string>();
}

GoldenProject::Answer Answers(GoldenProject& project, const Directive& directive) {
  switch (directive.kind) {
    case Kind::kStatement:
      return Nothing(project.Define(directive.body));
    case Kind::kRefused:
      return project.CompileErrors(directive.body);
    case Kind::kAppend:
      return Nothing(project.Append(directive.target, directive.body));
    case Kind::kAdvance:
      return Nothing(project.Advance(directive.target));
    case Kind::kRows:
      return project.Rows(directive.target);
    case Kind::kChanges:
      return project.Changes(directive.target);
    case Kind::kErrors:
      return project.Errors(directive.target);
    case Kind::kLate:
      return project.Late(directive.target);
  }
  return Err(ErrorCode::kInternal, "no such directive");
}

class GoldenTest : public ::testing::TestWithParam<std::tuple<std::string, Mode>> {};

TEST_P(GoldenTest, GivesWhatTheFileSays) {
  const auto& [name, mode] = GetParam();
  const auto path = PathOf(name);
  const auto script = Script::Parse(ReadFile(path));
  ASSERT_TRUE(script) << path.string() << ": " << script.error().ToString();
  GoldenProject project(mode);
  std::vector<std::vector<std::string>> answers;
  for (const Directive& directive : script->directives()) {
    const auto answer = Answers(project, directive);
    ASSERT_TRUE(answer) << path.string() << ":" << directive.line << ": "
                        << answer.error().ToString();
    if (!Rewrites() && *answer != directive.expected) {
      ADD_FAILURE_AT(path.c_str(), directive.line) << "in mode " << mode.name << ":\n"
                                                   << Difference(directive.expected, *answer);
    }
    answers.push_back(*answer);
  }
  if (Rewrites()) {
    std::ofstream(path) << script->WithExpectations(answers);
  }
}

/// Rewriting takes the answers of the first mode.
std::vector<Mode> Modes() {
  auto modes = AllModes();
  modes.resize(Rewrites() ? 1 : modes.size());
  return modes;
}

INSTANTIATE_TEST_SUITE_P(Sql, GoldenTest,
                         ::testing::Combine(::testing::ValuesIn(FileNames()),
                                            ::testing::ValuesIn(Modes())),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace millrace::golden
