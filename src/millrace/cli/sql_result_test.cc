#include "millrace/cli/sql_result.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kAnswer =
    R"j({"columns":[{"name":"a","type":"numeric(38,2)"},{"name":"b \"x\"","type":"text"},)j"
    R"j({"name":"j","type":"jsonb"}],"rows":[{"a":12345678901234567890.50,)j"
    R"j("b \"x\"":"say \"hi\", \n","j":"t"},{"a":null,"b \"x\"":"","j":null}],"truncated":false})j";

TEST(SqlResult, IsATable) {
  EXPECT_EQ(*FormatSqlAnswer(kAnswer, SqlFormat::kTable),
            "a                        b \"x\"         j\n"
            "12345678901234567890.50  say \"hi\", \\n  \"t\"\n"
            "NULL                                   NULL\n"
            "(2 rows)\n");
  EXPECT_EQ(*FormatSqlAnswer(
                R"({"columns":[{"name":"n","type":"bigint"}],"rows":[{"n":7}],"truncated":true})",
                SqlFormat::kTable),
            "n\n7\n(first 1 row)\n");
}

TEST(SqlResult, IsCsv) {
  EXPECT_EQ(
      *FormatSqlAnswer(kAnswer, SqlFormat::kCsv),
      "a,\"b \"\"x\"\"\",j\r\n12345678901234567890.50,\"say \"\"hi\"\", \n\",\"\"\"t\"\"\"\r\n"
      ",\"\",\r\n");
}

TEST(SqlResult, IsJsonLines) {
  EXPECT_EQ(*FormatSqlAnswer(kAnswer, SqlFormat::kJson),
            "{\"a\":12345678901234567890.50,\"b \\\"x\\\"\":\"say \\\"hi\\\", \\n\",\"j\":\"t\"}\n"
            "{\"a\":null,\"b \\\"x\\\"\":\"\",\"j\":null}\n");
  EXPECT_EQ(
      *FormatSqlAnswer(R"({"columns":[{"name":"n","type":"bigint"}],"rows":[],"truncated":false})",
                       SqlFormat::kJson),
      "");
}

TEST(SqlResult, RefusesWhatIsNoAnswer) {
  for (const char* text : {"", "{}", "[1]", R"({"columns":5,"rows":[],"truncated":false})"}) {
    EXPECT_FALSE(FormatSqlAnswer(text, SqlFormat::kTable)) << text;
  }
}

TEST(SqlResult, ShowsWhereAnErrorIs) {
  const auto text = [](std::string message, std::string_view sql) {
    return FormatSqlError(Error(ErrorCode::kSqlUnknownColumn, std::move(message)), sql);
  };
  EXPECT_EQ(text("line 2, column 3: column c does not exist", "SELECT a,\n  c\nFROM t"),
            "MR2005: line 2, column 3: column c does not exist\n    c\n    ^\n");
  EXPECT_EQ(text("no place", "SELECT"), "MR2005: no place\n");
  EXPECT_EQ(text("line 9, column 1: behind the end", "SELECT"),
            "MR2005: line 9, column 1: behind the end\n");
}

}  // namespace
}  // namespace millrace
