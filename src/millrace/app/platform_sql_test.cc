// SQL queries over a whole platform.

#include "millrace/app/platform_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_testing.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSql = R"sql(
CREATE TABLE clicks (user_id bigint, url text NOT NULL, price numeric(8,2), at timestamptz NOT NULL)
  WITH (connector = 'http', event_time = 'at', partitions = 2);
CREATE TABLE users (id bigint PRIMARY KEY, name text) WITH (connector = 'http');
CREATE VIEW dear AS SELECT * FROM clicks WHERE price > 10;
CREATE TABLE owners (url text PRIMARY KEY, owner text, at timestamptz)
  WITH (connector = 'http', event_time = 'at', partitions = 1);
CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;
)sql";

class PlatformSqlTest : public PlatformFixture {
 protected:
  void SetUp() override {
    Start(kSql);
    for (int i = 0; i < 6; ++i) {
      position_ =
          Post(fmt::format(
                   R"({{"user_id":{},"url":"/{}","price":{}.5,"at":"2026-01-01T00:0{}:00Z"}})",
                   i % 3, i % 2, 4 * i, i))
              ->position;
    }
    for (const char* user :
         {R"({"id":0,"name":"ann"})", R"({"id":1,"name":"bob"})", R"({"id":0,"name":"eve"})"}) {
      ASSERT_TRUE(Post(user, {}, "users"));
    }
  }

  /// The rows of the answer, or the error.
  std::string Rows(std::string_view sql, std::optional<uint64_t> limit = {}) {
    const auto answer =
        RunSql({.sql = std::string(sql), .wait_for = "", .timeout = {}, .limit = limit});
    if (!answer) {
      return answer.error().ToString();
    }
    const size_t begin = answer->find("\"rows\":") + 7;
    return answer->substr(begin, answer->rfind(",\"truncated\"") - begin);
  }

  std::string position_;
};

TEST_F(PlatformSqlTest, ReadsTablesAndViews) {
  EXPECT_EQ(Rows("SELECT url, price FROM clicks WHERE user_id = 1 ORDER BY price DESC"),
            R"([{"url":"/0","price":16.50},{"url":"/1","price":4.50}])");
  EXPECT_EQ(Rows("SELECT count(*) AS n, sum(price) AS total FROM dear"),
            R"([{"n":3,"total":49.50}])");
  EXPECT_EQ(Rows("SELECT id, name FROM users ORDER BY id"),
            R"([{"id":0,"name":"eve"},{"id":1,"name":"bob"}])")
      << "a table with a primary key is its rows";
  EXPECT_EQ(Rows("SELECT name, count(*) AS n FROM clicks JOIN users ON user_id = id GROUP BY name "
                 "ORDER BY name LIMIT 1"),
            R"([{"name":"bob","n":2}])");
  EXPECT_EQ(Rows("SELECT window_start, count(*) AS n FROM tumble(clicks, at, interval '3 minutes') "
                 "GROUP BY window_start ORDER BY 1"),
            R"([{"window_start":"2026-01-01T00:00:00Z","n":3},)"
            R"({"window_start":"2026-01-01T00:03:00Z","n":3}])");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM clicks WHERE price > 1000"), R"([{"n":0}])");
  EXPECT_EQ(Rows("SELECT url FROM clicks WHERE price > 1000"), "[]");
}

TEST_F(PlatformSqlTest, JoinsWithRowsAsOfATime) {
  for (const char* owner : {R"({"url":"/0","owner":"ann","at":"2026-01-01T00:00:00Z"})",
                            R"({"url":"/0","owner":"bob","at":"2026-01-01T00:02:00Z"})",
                            R"({"url":"/1","owner":"cid","at":"2026-01-01T00:02:00Z"})"}) {
    ASSERT_TRUE(Post(owner, {}, "owners"));
  }
  EXPECT_EQ(Rows("SELECT c.url, o.owner, count(*) AS n FROM clicks c "
                 "LEFT JOIN as_of(owners, c.at) o ON c.url = o.url GROUP BY c.url, o.owner "
                 "ORDER BY c.url, o.owner"),
            R"([{"url":"/0","owner":"ann","n":1},{"url":"/0","owner":"bob","n":2},)"
            R"({"url":"/1","owner":"cid","n":2},{"url":"/1","owner":null,"n":1}])");
  EXPECT_EQ(Rows("WITH owned AS (SELECT c.at, o.owner FROM clicks c JOIN as_of(owners, c.at) o "
                 "ON c.url = o.url) SELECT window_start, count(*) AS n "
                 "FROM tumble(owned, at, interval '3 minutes') GROUP BY window_start ORDER BY 1"),
            R"([{"window_start":"2026-01-01T00:00:00Z","n":2},)"
            R"({"window_start":"2026-01-01T00:03:00Z","n":3}])");
}

TEST_F(PlatformSqlTest, ReadsWhatWasRefused) {
  ASSERT_TRUE(Post(R"({"user_id":"x","url":"/0"})"));
  EXPECT_EQ(Rows("SELECT code, operator, weight FROM errors$clicks"),
            R"([{"code":4003,"operator":"decode","weight":1}])");
  EXPECT_EQ(Rows("SELECT count(*) AS n FROM \"errors$counts\""), R"([{"n":0}])");
  EXPECT_THAT(Rows("SELECT * FROM late$counts"), HasSubstr("MR2004")) << "it has no windows";
  EXPECT_THAT(Rows("SELECT * FROM errors$nowhere"), HasSubstr("MR2004"));
}

TEST_F(PlatformSqlTest, WaitsForAPosition) {
  const auto answer = RunSql({.sql = "SELECT url, n FROM counts ORDER BY url",
                              .wait_for = position_,
                              .timeout = {},
                              .limit = {}});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_THAT(*answer, HasSubstr(R"("columns":[{"name":"url","type":"text"},{"name":"n","type":)"
                                 R"("bigint"}],"rows":[{"url":"/0","n":3},{"url":"/1","n":3}])"));
  const auto wrong =
      RunSql({.sql = "SELECT 1 AS a FROM counts", .wait_for = "x", .timeout = {}, .limit = {}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), ErrorCode::kHttpBadRequest);
}

TEST_F(PlatformSqlTest, ExplainsQueries) {
  const std::string plan =
      Rows("EXPLAIN SELECT url, count(*) FROM clicks GROUP BY url ORDER BY url LIMIT 2");
  EXPECT_THAT(plan, HasSubstr(R"({"plan":"Limit 2"},{"plan":"Sort url"})"));
  EXPECT_THAT(plan, HasSubstr("Scan clicks"));
  const std::string analyzed =
      Rows("EXPLAIN ANALYZE SELECT url, count(*) FROM clicks GROUP BY url");
  EXPECT_THAT(analyzed, HasSubstr("Input clicks: rows=6"));
  EXPECT_THAT(analyzed, HasSubstr("Result: rows=2"));
}

TEST_F(PlatformSqlTest, RefusesWhatCannotBe) {
  EXPECT_THAT(Rows("SELECT nothing FROM clicks"), HasSubstr("MR2005"));
  EXPECT_THAT(Rows("SELECT * FROM nowhere"), HasSubstr("MR2004"));
  EXPECT_THAT(Rows("DELETE FROM clicks"), HasSubstr("MR2002"));
  EXPECT_THAT(Rows("SELECT"), HasSubstr("MR2"));
  EXPECT_THAT(Rows(std::string(70'000, ' ')), HasSubstr("MR2003"));
  EXPECT_THAT(Rows("SELECT 1 / (user_id - 1) AS x FROM clicks"), HasSubstr("MR3001"));
}

TEST_F(PlatformSqlTest, GivesUpWhatNobodyWaitsFor) {
  const auto answer = RunSql({.sql = "SELECT count(*) AS n FROM clicks",
                              .wait_for = "",
                              .timeout = {},
                              .limit = {},
                              .abandoned = std::make_shared<std::atomic<bool>>(true)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().ToString(), HasSubstr("the client has gone"));
}

TEST_F(PlatformSqlTest, KeepsItsLimits) {
  QueryOptions options;
  options.rows_max = 4;
  options.memory_bytes = 1 << 20;
  sql_ = std::make_unique<PlatformSql>(*platform_, *waits_, options, SqlMetrics());
  EXPECT_THAT(Rows("SELECT url FROM clicks"), HasSubstr("MR7016"));
  EXPECT_EQ(Rows("SELECT url FROM clicks ORDER BY at LIMIT 1"), R"([{"url":"/0"}])");
  const auto first =
      RunSql({.sql = "SELECT url FROM clicks", .wait_for = "", .timeout = {}, .limit = 2});
  ASSERT_TRUE(first);
  EXPECT_THAT(*first, HasSubstr(R"("truncated":true)"));
  EXPECT_THAT(Rows("SELECT repeat('x', 400000) AS x, at FROM clicks GROUP BY 1, at LIMIT 4"),
              HasSubstr("MR7015"));
}

TEST_F(PlatformSqlTest, RefusesMoreThanMayWait) {
  QueryOptions options;
  options.running_max = 1;
  options.waiting_max = 1;
  sql_ = std::make_unique<PlatformSql>(*platform_, *waits_, options, SqlMetrics());
  Answer<std::string> answers[20];
  for (auto& answer : answers) {
    sql_->Query({.sql = "SELECT count(*) FROM clicks a JOIN clicks b ON a.url = b.url",
                 .wait_for = "",
                 .timeout = {},
                 .limit = {}},
                answer.Taker());
  }
  int refused = 0;
  for (auto& answer : answers) {
    const auto result = answer.Get();
    refused += !result && result.error().code() == ErrorCode::kTooManyRequests ? 1 : 0;
    EXPECT_TRUE(result || result.error().code() == ErrorCode::kTooManyRequests);
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 20);
}

}  // namespace
}  // namespace millrace
