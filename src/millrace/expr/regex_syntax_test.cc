#include "millrace/expr/regex_syntax.h"

#include <gtest/gtest.h>

namespace millrace::internal {
namespace {

struct Case {
  std::string_view pattern;
  std::string_view translated;  ///< Or "!" and a part of the error.
  std::string_view flags;
};

void ExpectTranslations(std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    const auto flags = ParseRegexFlags(each.flags);
    ASSERT_TRUE(flags) << each.flags;
    const auto result = TranslateRegex(each.pattern, *flags);
    if (each.translated.starts_with('!')) {
      ASSERT_FALSE(result) << each.pattern << " gives " << result->pattern;
      EXPECT_EQ(result.error().code(), ErrorCode::kInvalidRegex);
      EXPECT_NE(result.error().message().find(each.translated.substr(1)), std::string::npos)
          << result.error().ToString();
    } else {
      ASSERT_TRUE(result) << each.pattern << ": " << result.error().ToString();
      EXPECT_EQ(result->pattern, each.translated) << each.pattern;
    }
  }
}

TEST(RegexSyntaxTest, Atoms) {
  ExpectTranslations({{"abc", "abc"},
                      {"a.b", "a.b"},
                      {"^a$", "^a$"},
                      {"a|b|", "a|b|"},
                      {"(a)(?:b)", "(a)(?:b)"},
                      {"()", "()"},
                      {"a]b}c{", "a\\x{5d}b\\x{7d}c\\x{7b}"},
                      {"a-b&/", "a\\x{2d}b\\x{26}\\x{2f}"},
                      {"\u00e9", "\\x{e9}"},
                      {"a(?#no matter)b", "ab"}});
}

TEST(RegexSyntaxTest, Quantifiers) {
  ExpectTranslations({{"a*b+c?", "a*b+c?"},
                      {"a{2}b{2,}c{2,5}", "a{2}b{2,}c{2,5}"},
                      {"a*?", "a*?"},
                      {"a{x", "a\\x{7b}x"},
                      {"*a", "!quantifier operand invalid"},
                      {"(*a)", "!quantifier operand invalid"},
                      {"a**", "!quantifier operand invalid"},
                      {"^*", "!quantifier operand invalid"},
                      {"a{2}{3}", "!quantifier operand invalid"},
                      {"a{1", "!braces {} not balanced"},
                      {"a{256}", "!invalid repetition count(s)"},
                      {"a{3,2}", "!invalid repetition count(s)"}});
}

TEST(RegexSyntaxTest, Escapes) {
  ExpectTranslations({{"\\d\\D\\w\\W", "[0-9][^0-9][0-9A-Za-z_][^0-9A-Za-z_]"},
                      {"\\s\\S", "[[:space:]][^[:space:]]"},
                      {"\\Aa\\Z", "\\Aa\\z"},
                      {"\\ya\\Y", "\\ba\\B"},
                      {"\\.\\n\\x41\\u00e9\\U0001F600", "\\x{2e}\\x{a}A\\x{e9}\\x{1f600}"},
                      {"\\101", "!back references are not supported"},
                      {"\\060", "0"},
                      {"(a)\\1", "!back references are not supported"},
                      {"\\b", "!a backspace and a backslash"},
                      {"\\mA", "!begin and end of a word"},
                      {"\\q", "!invalid escape"},
                      {"\\u12", "!invalid escape"},
                      {"\\xFFFFFFFFFF", "!invalid escape"},
                      {"a\\", "!invalid escape"}});
}

TEST(RegexSyntaxTest, Brackets) {
  ExpectTranslations({{"[abc]", "[abc]"},
                      {"[^a-z]", "[^a-z]"},
                      {"[]a]", "[\\x{5d}a]"},
                      {"[^]a]", "[^\\x{5d}a]"},
                      {"[a-]", "[a\\x{2d}]"},
                      {"[\\d\\s_]", "[0-9[:space:]_]"},
                      {"[[:alpha:][:digit:]]", "[[:alpha:][:digit:]]"},
                      {"[\\]^]", "[\\x{5d}\\x{5e}]"},
                      {"[a", "!brackets [] not balanced"},
                      {"[]", "!brackets [] not balanced"},
                      {"[z-a]", "!invalid character range"},
                      {"[a-\\d]", "!invalid escape"},
                      {"[a-[:digit:]]", "!invalid character range"},
                      {"[[:nix:]]", "!invalid character class"},
                      {"[[.a.]]", "!collating elements"},
                      {"[[:<:]]a", "!not supported"}});
}

TEST(RegexSyntaxTest, Groups) {
  ExpectTranslations({{"(a", "!parentheses () not balanced"},
                      {"a)", "!parentheses () not balanced"},
                      {"a(?=b)", "!lookahead"},
                      {"a(?!b)", "!lookahead"},
                      {"(?<=a)b", "!lookbehind"},
                      {"(?P<n>a)", "!invalid regular expression option"},
                      {"a(?P<n>b)", "!a group begins with"}});
}

TEST(RegexSyntaxTest, Flags) {
  ExpectTranslations({{"aB1", "[aA][Bb]1", "i"},
                      {"[a-cX]", "[a-cA-CXx]", "i"},
                      {"[[:upper:]]", "[[:alpha:]]", "i"},
                      {"(?i)a", "[aA]"},
                      {"(?i)a", "[aA]", "c"},
                      {"a.c", "a\\x{2e}c", "q"},
                      {"***=a.c", "a\\x{2e}c"},
                      {"a b # c\nd", "abd", "x"},
                      {"^a$", "(?m:^)a(?m:$)", "w"},
                      {"[^a]", "[^\\na]", "n"},
                      {"[^a]", "[^a]", "ns"},
                      {"(?z)a", "!invalid regular expression option"},
                      {"****a", "!quantifier operand invalid"}});
  EXPECT_TRUE(TranslateRegex("a.b", *ParseRegexFlags("p"))->dot_skips_newline);
  EXPECT_FALSE(TranslateRegex("a.b", *ParseRegexFlags("w"))->dot_skips_newline);
  EXPECT_TRUE(TranslateRegex("a+", {})->longest_match);
  EXPECT_FALSE(TranslateRegex("a+?", {})->longest_match);
  EXPECT_TRUE(ParseRegexFlags("gi")->global);
  EXPECT_EQ(ParseRegexFlags("z").error().code(), ErrorCode::kInvalidRegex);
  EXPECT_EQ(ParseRegexFlags("b").error().code(), ErrorCode::kInvalidRegex);
}

}  // namespace
}  // namespace millrace::internal
