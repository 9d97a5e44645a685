#include "millrace/base/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/simulated_file_system.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Glob, MatchesAsAShellDoes) {
  EXPECT_TRUE(GlobMatches("dpkg.log*", "dpkg.log"));
  EXPECT_TRUE(GlobMatches("dpkg.log*", "dpkg.log.2.gz"));
  EXPECT_FALSE(GlobMatches("dpkg.log*", "alternatives.log"));
  EXPECT_TRUE(GlobMatches("*.ndjson", "a.b.ndjson"));
  EXPECT_FALSE(GlobMatches("*.ndjson", ".hidden.ndjson"));
  EXPECT_TRUE(GlobMatches(".*", ".hidden"));
  EXPECT_TRUE(GlobMatches("a?c", "abc"));
  EXPECT_FALSE(GlobMatches("a?c", "ac"));
  EXPECT_TRUE(GlobMatches("part-[0-9][0-9]", "part-07"));
  EXPECT_FALSE(GlobMatches("part-[!0-9]", "part-7"));
  EXPECT_TRUE(GlobMatches("[]x]", "]"));
  EXPECT_TRUE(GlobMatches("[unclosed", "[unclosed"));
  EXPECT_TRUE(GlobMatches(R"(a\*b)", "a*b"));
  EXPECT_FALSE(GlobMatches(R"(a\*b)", "axb"));
  EXPECT_TRUE(GlobMatches("*a*b*c", "xxaxxbxxaxxbxxc"));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(Glob, TakesNoTimeForManyStars) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(5000, 'a')));
}

class ListMatchingTest : public ::testing::Test {
 protected:
  void Create(const std::string& path) {
    ASSERT_TRUE(files_.CreateDirectories(ParentPath(path)));
    ASSERT_TRUE(files_.Open(path, OpenMode::kCreate));
  }
  std::vector<std::string> List(const std::string& pattern) {
    auto paths = ListMatching(files_, pattern, 10);
    EXPECT_TRUE(paths) << paths.error().ToString();
    return *paths;
  }

  SimulatedFileSystem files_{1};
};

TEST_F(ListMatchingTest, FindsFilesInOrder) {
  for (const char* path : {"/log/a.log", "/log/b.log.1", "/log/b.log", "/log/old.log/c.log"}) {
    Create(path);
  }
  EXPECT_THAT(List("/log/*.log"), ElementsAre("/log/a.log", "/log/b.log"));
  EXPECT_THAT(List("/l*/b*"), ElementsAre("/log/b.log", "/log/b.log.1"));
  EXPECT_THAT(List("/log/*/c.log"), ElementsAre("/log/old.log/c.log"));
  EXPECT_THAT(List("/log/a.log"), ElementsAre("/log/a.log"));
  EXPECT_THAT(List("/log/none"), IsEmpty());
  EXPECT_THAT(List("/none/*"), IsEmpty());
  // Without a glob, what is there is told, whatever it is.
  EXPECT_THAT(List("/log"), ElementsAre("/log"));
}

TEST_F(ListMatchingTest, IsBounded) {
  for (int i = 0; i < 11; ++i) {
    Create("/many/" + std::to_string(i));
  }
  const auto paths = ListMatching(files_, "/many/*", 10);
  ASSERT_FALSE(paths);
  EXPECT_EQ(paths.error().code(), ErrorCode::kRecordTooLarge);
}

}  // namespace
}  // namespace millrace
