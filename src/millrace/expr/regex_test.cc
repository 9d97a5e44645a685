#include "millrace/expr/regex.h"

#include <gtest/gtest.h>

namespace millrace::internal {
namespace {

std::shared_ptr<const Regex> Compiled(std::string_view pattern) {
  auto regex = Regex::Compile(pattern, {});
  EXPECT_TRUE(regex) << pattern << ": " << regex.error().ToString();
  return regex ? *regex : nullptr;
}

std::string FirstOf(std::string_view pattern, std::string_view text, size_t from = 0) {
  std::vector<std::optional<std::string_view>> groups(1);
  return Compiled(pattern)->Find(text, from, groups) ? std::string(*groups[0]) : "none";
}

TEST(RegexTest, TakesTheLongestOfTheLeftmostMatches) {
  EXPECT_EQ(FirstOf("a|ab|abc", "xabcd"), "abc");
  EXPECT_EQ(FirstOf("(a|ab)(c|bcd)?", "abcd"), "abcd");
  EXPECT_EQ(FirstOf("a.*?c", "abcabc"), "abc");
  EXPECT_EQ(FirstOf("x", "abc"), "none");
}

TEST(RegexTest, KnowsWhatIsBeforeTheStart) {
  EXPECT_EQ(FirstOf("^b", "ab", 1), "none");
  EXPECT_EQ(FirstOf("\\yb", "ab", 1), "none");
  EXPECT_EQ(FirstOf("b", "ab", 1), "b");
}

TEST(RegexTest, GivesGroups) {
  std::vector<std::optional<std::string_view>> groups(5);
  const auto regex = Compiled("(a)(x)?(b*)");
  EXPECT_EQ(regex->groups(), 3U);
  ASSERT_TRUE(regex->Find("zac", 0, groups));
  EXPECT_EQ(groups[1], "a");
  EXPECT_EQ(groups[2], std::nullopt);
  EXPECT_EQ(groups[3], "");
  EXPECT_EQ(groups[4], std::nullopt);
}

TEST(RegexTest, HandsOutMoreGroupsThanFitOnTheStack) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) {
    pattern += "(a)";
  }
  std::vector<std::optional<std::string_view>> groups(41);
  const std::string text(40, 'a');
  ASSERT_TRUE(Compiled(pattern)->Find(text, 0, groups));
  EXPECT_EQ(groups[40], "a");
}

TEST(RegexTest, RefusesWhatIsTooLarge) {
  EXPECT_EQ(Regex::Compile("((a{200}){200}){200}", {}).error().code(), ErrorCode::kInvalidRegex);
  EXPECT_EQ(Regex::Compile(std::string(Regex::kPatternBytesMax + 1, 'a'), {}).error().code(),
            ErrorCode::kInvalidRegex);
}

TEST(RegexTest, CacheKeepsTheLastPatternsAndTheirErrors) {
  const RegexCache cache;
  const auto first = cache.Get("a+", "");
  ASSERT_TRUE(first);
  EXPECT_EQ(*cache.Get("a+", ""), *first);
  EXPECT_NE(*cache.Get("a+", "i"), *first);
  EXPECT_FALSE(cache.Get("(", ""));
  EXPECT_FALSE(cache.Get("(", ""));
  EXPECT_FALSE(cache.Get("a", "z"));
  for (size_t i = 0; i < 2 * RegexCache::kPatternsMax; ++i) {
    ASSERT_TRUE(cache.Get(std::string(i, 'b'), ""));
  }
  EXPECT_NE(*cache.Get("a+", ""), *first);
}

}  // namespace
}  // namespace millrace::internal
