#include "millrace/serve/url.h"

#include <gtest/gtest.h>

namespace millrace::serve {
namespace {

TEST(Url, DecodesOnce) {
  EXPECT_EQ(*PercentDecode("a%2Bb%20c+d%C3%A4", false), "a+b c+d\xc3\xa4");
  EXPECT_EQ(*PercentDecode("a+b%0A", true), "a b\n");
  EXPECT_EQ(*PercentDecode("%252e", false), "%2e");
  for (const char* broken : {"%", "%1", "%g0", "%00", "%ff", "%c3"}) {
    EXPECT_FALSE(PercentDecode(broken, true)) << broken;
  }
  EXPECT_FALSE(PercentDecode("%0A", false));
}

TEST(Url, EncodingIsUndoneByDecoding) {
  std::string all;
  for (char c = 1; c < 127; ++c) {
    all.push_back(c);
  }
  std::string encoded;
  AppendPercentEncoded(encoded, all);
  EXPECT_EQ(*PercentDecode(encoded, true), all);
}

TEST(Url, PathsSplitIntoSegments) {
  using Segments = std::vector<std::string>;
  EXPECT_EQ(*SplitUrlPath("/"), Segments{});
  EXPECT_EQ(*SplitUrlPath("/a/b%2Fc"), (Segments{"a", "b/c"}));
  EXPECT_EQ(*SplitUrlPath("/a/"), (Segments{"a", ""}));
  EXPECT_EQ(*SplitUrlPath("//"), (Segments{"", ""}));
  EXPECT_FALSE(SplitUrlPath(""));
  EXPECT_FALSE(SplitUrlPath("a"));
  EXPECT_FALSE(SplitUrlPath("/a/%2e%2E"));
}

TEST(Url, QueriesHaveLimits) {
  const auto query = QueryParameters::Parse("a=1&&b=x%26y&c&d=&a=2=3");
  ASSERT_TRUE(query);
  ASSERT_EQ(query->pairs().size(), 5U);
  EXPECT_EQ(query->pairs()[4].value, "2=3");
  EXPECT_EQ(**query->Single("b"), "x&y");
  EXPECT_EQ(**query->Single("c"), "");
  EXPECT_FALSE(*query->Single("z"));
  EXPECT_EQ(query->Single("a").error().code(), ErrorCode::kHttpBadRequest);
  EXPECT_FALSE(query->CheckNames({"a", "b", "c"}));
  EXPECT_TRUE(query->CheckNames({"a", "b", "c", "d"}));
  EXPECT_FALSE(QueryParameters::Parse("=1"));
  std::string many;
  for (size_t i = 0; i <= QueryParameters::kCountMax; ++i) {
    many += "a&";
  }
  EXPECT_FALSE(QueryParameters::Parse(many));
}

TEST(Url, NumbersAndFlagsAreChecked) {
  const auto query =
      *QueryParameters::Parse("n=7&big=99999999999999999999&neg=-1&t=true&f=false&x=1");
  EXPECT_EQ(*query.SingleNumber("n", 1, 0, 7), 7U);
  EXPECT_EQ(*query.SingleNumber("absent", 5, 0, 7), 5U);
  EXPECT_FALSE(query.SingleNumber("n", 1, 0, 6));
  EXPECT_FALSE(query.SingleNumber("big", 1, 0, UINT64_MAX));
  EXPECT_FALSE(query.SingleNumber("neg", 1, 0, 7));
  EXPECT_TRUE(*query.SingleFlag("t"));
  EXPECT_FALSE(*query.SingleFlag("f"));
  EXPECT_FALSE(query.SingleFlag("x"));
}

}  // namespace
}  // namespace millrace::serve
