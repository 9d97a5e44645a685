#include "millrace/data/json_text.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

std::string Canonical(std::string_view json) {
  std::string out;
  const auto failure = AppendCanonicalJson(out, json);
  return failure ? std::string("MR") + std::to_string(static_cast<int>(*failure)) : out;
}

TEST(CanonicalJson, SortsKeysAndKeepsTheLastDuplicate) {
  EXPECT_EQ(Canonical(R"( { "b" : 1 , "a" : 2 } )"), R"({"a":2,"b":1})");
  EXPECT_EQ(Canonical(R"({"bb":1,"c":2,"a":3})"), R"({"a":3,"c":2,"bb":1})");
  EXPECT_EQ(Canonical(R"({"a":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(Canonical(R"({"b":{"z":1,"y":[]},"a":{"d":{},"c":0},"b":3})"),
            R"({"a":{"c":0,"d":{}},"b":3})");
  EXPECT_EQ(Canonical(R"({"\u0061":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(Canonical("[ 1 , [ ] , { } , true , false , null ]"), "[1,[],{},true,false,null]");
}

TEST(CanonicalJson, NormalisesNumbers) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"0", "0"},
      {"-0", "0"},
      {"-0.00e5", "0"},
      {"1.50", "1.5"},
      {"15e-1", "1.5"},
      {"1e2", "100"},
      {"100", "100"},
      {"-12.0", "-12"},
      {"0.001", "0.001"},
      {"1E-3", "0.001"},
      {"1e300", "1e+300"},
      {"-1.250e-300", "-1.25e-300"},
      {"12345678901234567890.5", "12345678901234567890.5"},
      {"1e39", "1000000000000000000000000000000000000000"},
      {"1e40", "1e+40"},
  };
  for (const auto& [in, out] : cases) {
    EXPECT_EQ(Canonical(in), out) << in;
    EXPECT_EQ(Canonical(out), out);
  }
  for (const std::string_view bad :
       {"01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "--1", "1_0"}) {
    EXPECT_EQ(Canonical(bad), "MR4001") << bad;
  }
  EXPECT_EQ(Canonical("1e99999999999"), "MR4004");
}

TEST(CanonicalJson, NormalisesStrings) {
  EXPECT_EQ(Canonical(R"("a\/b\u0041\u00e9\ud83d\ude00")"), "\"a/bA\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(Canonical(R"("\"\\\b\f\n\r\t\u0001\u000a")"), R"("\"\\\b\f\n\r\t\u0001\n")");
  for (const std::string_view bad :
       {R"("\u0000")", R"("\ud800")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud800x")",
        "\"\x80\"", "\"\xED\xA0\x80\""}) {
    EXPECT_EQ(Canonical(bad), "MR4005") << bad;
  }
  for (const std::string_view bad :
       {R"("abc)", R"("\x")", R"("\u12")", R"("\u12g4")", "\"a\nb\"", R"("\)"}) {
    EXPECT_EQ(Canonical(bad), "MR4001") << bad;
  }
}

TEST(CanonicalJson, RefusesMalformedStructure) {
  for (const std::string_view bad :
       {"", " ", "{", "}", "[", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{1:1}", "1 2", "tru", "truee", "[1 2]", "nul"}) {
    EXPECT_EQ(Canonical(bad), "MR4001") << bad;
  }
}

TEST(CanonicalJson, BoundsDepth) {
  const std::string at_limit = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(Canonical(at_limit), at_limit);
  EXPECT_EQ(Canonical(std::string(65, '[') + std::string(65, ']')), "MR4006");
  EXPECT_EQ(Canonical(std::string(100'000, '[')), "MR4006");
}

TEST(CanonicalJson, LeavesOutputAloneOnFailure) {
  std::string out = "kept";
  EXPECT_EQ(AppendCanonicalJson(out, R"({"a":1,"b":tru})"), ErrorCode::kRecordSyntax);
  EXPECT_EQ(out, "kept");
}

TEST(JsonString, EscapesWhatMustBe) {
  std::string out;
  AppendJsonString(out, std::string_view("plain long enough text \"q\" \\ \x1f \n \x7f end\0", 39));
  EXPECT_EQ(out, "\"plain long enough text \\\"q\\\" \\\\ \\u001f \\n \x7f end\\u0000\"");
}

TEST(SpacedJson, AddsSpacesOutsideStrings) {
  std::string out;
  AppendSpacedJson(out, R"({"a,\":":[1,2],"b":"c:d"})");
  EXPECT_EQ(out, R"({"a,\":": [1, 2], "b": "c:d"})");
}

}  // namespace
}  // namespace millrace
