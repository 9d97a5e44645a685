#include "millrace/sql/script.h"

#include <pthread.h>

#include <gtest/gtest.h>

namespace millrace::internal {
namespace {

std::string Repeated(std::string_view text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

ErrorCode CodeOf(const std::string& text) {
  const SqlFile file{"x.sql", text};
  const auto project = CompileProject({&file, 1}, {}, nullptr);
  return project ? ErrorCode::kInternal : project.error().code();
}

std::string View(const std::string& expression) {
  return "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW v AS SELECT " + expression +
         " AS x FROM t";
}

TEST(ScriptTest, RefusesWhatIsTooLarge) {
  EXPECT_EQ(CodeOf(std::string(Script::kTextBytesMax + 1, ' ')), ErrorCode::kSqlTooLarge);
  EXPECT_EQ(CodeOf(View("a" + Repeated("+a", 100'000))), ErrorCode::kSqlTooLarge);
  EXPECT_EQ(CodeOf(View(Repeated("(", 300) + "a" + Repeated(")", 300))), ErrorCode::kSqlTooLarge);
}

TEST(ScriptTest, SurvivesDeepTrees) {
  EXPECT_EQ(CodeOf(View("a" + Repeated("+a", 24'000))), ErrorCode::kSqlTooLarge);
  EXPECT_EQ(CodeOf(View(Repeated("- ", 40'000) + "a")), ErrorCode::kSqlTooLarge);
  EXPECT_EQ(CodeOf(View("a" + Repeated("+a", 400))), ErrorCode::kInternal);
}

TEST(ScriptTest, UsesUpNothingOfTheProcess) {
  // The parser keeps a thread-specific key for each thread that calls it.
  for (int i = 0; i < 1100; ++i) {
    ASSERT_EQ(CodeOf("CREATE TABLE t (a int)"), ErrorCode::kInternal);
  }
  pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key, nullptr), 0);
  pthread_key_delete(key);
}

TEST(ScriptTest, RefusesNul) {
  EXPECT_EQ(CodeOf(std::string("SELECT \0 1", 10)), ErrorCode::kSqlSyntax);
}

TEST(ScriptTest, AcceptsNothing) { EXPECT_EQ(CodeOf("-- only a comment\n"), ErrorCode::kInternal); }

}  // namespace
}  // namespace millrace::internal
