#include "millrace/sql/compile_query.h"

#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "millrace/plan/plan_builder.h"
#include "millrace/sql/compile_project.h"

namespace millrace {
namespace {

constexpr std::string_view kProject = R"sql(
CREATE TABLE t (a int, b text, j jsonb, at timestamptz) WITH (event_time = 'at');
CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE VIEW plain AS SELECT a + 1 AS a1, b FROM t WHERE a > 0;
CREATE MATERIALIZED VIEW counts AS SELECT b, count(*) AS n FROM t GROUP BY b;
CREATE VIEW plain_counts AS SELECT b FROM counts WHERE n > 1;
)sql";

class CompileQueryTest : public ::testing::Test {
 protected:
  CompileQueryTest() {
    const SqlFile file{.path = "p.sql", .text = std::string(kProject)};
    auto project = CompileProject(std::span(&file, 1), {}, nullptr);
    EXPECT_TRUE(project) << project.error().ToString();
    project_ = *std::move(project);
  }

  Result<QueryDefinition> Compile(std::string_view sql) {
    return CompileQuery(sql, project_, {.now = 1'767'225'600'000'000});
  }
  /// The sort keys as "column[d][f]" and the limits.
  std::string Ordering(std::string_view sql) {
    const auto query = Compile(sql);
    if (!query) {
      return query.error().ToString();
    }
    std::string text = fmt::format("{}/{}:", query->columns, query->plan->schema->size());
    for (const SortKey& key : query->order) {
      text += fmt::format(" {}{}{}", key.column, key.direction.is_descending ? "d" : "",
                          key.direction.nulls_first ? "f" : "");
    }
    if (query->limit) {
      text += fmt::format(" limit {}", *query->limit);
    }
    return query->offset == 0 ? text : text + fmt::format(" offset {}", query->offset);
  }
  std::string ErrorOf(std::string_view sql) {
    const auto query = Compile(sql);
    return query ? "no error" : query.error().ToString();
  }

  ProjectDefinition project_;
};

TEST_F(CompileQueryTest, OrderIsByNamesPositionsAndExpressions) {
  EXPECT_EQ(Ordering("SELECT a, b FROM t"), "2/2:");
  EXPECT_EQ(Ordering("SELECT a, b FROM t ORDER BY b"), "2/2: 1");
  EXPECT_EQ(Ordering("SELECT a, b FROM t ORDER BY 2 DESC, 1 ASC"), "2/2: 1df 0");
  EXPECT_EQ(Ordering("SELECT a AS b, b AS c FROM t ORDER BY b"), "2/2: 0");  // An output name.
  EXPECT_EQ(Ordering("SELECT b FROM t ORDER BY a NULLS FIRST, at DESC NULLS LAST"), "1/3: 1f 2d");
  EXPECT_EQ(Ordering("SELECT a + 1 AS x FROM t ORDER BY a + 1, t.a"), "1/2: 0 1");
  EXPECT_EQ(Ordering("SELECT b FROM t GROUP BY b ORDER BY count(*) DESC, b"), "1/2: 1df 0");
  EXPECT_EQ(Ordering("SELECT DISTINCT a, b FROM t ORDER BY b"), "2/2: 1");
  EXPECT_EQ(Ordering("SELECT a FROM t UNION ALL SELECT id FROM users ORDER BY a DESC LIMIT 2"),
            "1/1: 0df limit 2");
}

TEST_F(CompileQueryTest, LimitsAreConstants) {
  EXPECT_EQ(Ordering("SELECT a FROM t LIMIT 3 OFFSET 2"), "1/1: limit 3 offset 2");
  EXPECT_EQ(Ordering("SELECT a FROM t LIMIT ALL"), "1/1:");
  EXPECT_EQ(Ordering("SELECT a FROM t LIMIT 2 + 1"), "1/1: limit 3");
  EXPECT_EQ(Ordering("SELECT a FROM t LIMIT -1"),
            "MR2010: line 1, column 23: LIMIT must be a number, not less than 0");
  EXPECT_EQ(ErrorOf("SELECT a FROM t OFFSET a").substr(0, 6), "MR2005");
  EXPECT_EQ(ErrorOf("SELECT a FROM t ORDER BY a FETCH FIRST 1 ROWS WITH TIES").substr(0, 6),
            "MR2002");
}

TEST_F(CompileQueryTest, ReadsTablesViewsAndPlainViews) {
  const auto inputs = [&](std::string_view sql) {
    const auto query = Compile(sql);
    return query ? fmt::format("{}", fmt::join(query->inputs, ",")) : query.error().ToString();
  };
  EXPECT_EQ(inputs("SELECT * FROM plain"), "t");
  EXPECT_EQ(inputs("SELECT * FROM plain_counts c JOIN users u ON c.b = u.name"), "counts,users");
  EXPECT_EQ(inputs("WITH x AS (SELECT b FROM t) SELECT * FROM x UNION SELECT b FROM counts"),
            "t,counts");
  // The rows of a view as they are now never go away again.
  EXPECT_TRUE(Compile("SELECT n FROM counts")->plan->properties.append_only);
  EXPECT_TRUE(Compile("SELECT * FROM plain_counts")->plan->properties.append_only);
  EXPECT_FALSE(Compile("SELECT * FROM users")->plan->properties.append_only);
}

TEST_F(CompileQueryTest, ColumnsOfTheSameNameAreNumbered) {
  const auto names = [&](std::string_view sql) {
    const auto query = Compile(sql);
    if (!query) {
      return query.error().ToString();
    }
    std::vector<std::string> shown = FieldNames(*query->plan->schema);
    shown.resize(query->columns);
    return fmt::format("{}", fmt::join(shown, ","));
  };
  EXPECT_EQ(names("SELECT count(*), count(a), a AS count_2 FROM t GROUP BY a"),
            "count,count_2_,count_2");
  EXPECT_EQ(names("SELECT * FROM t x JOIN t y ON x.a = y.a").substr(0, 4), "a,b,");
  EXPECT_EQ(names("SELECT a AS x FROM t UNION ALL SELECT * FROM (SELECT id FROM users) u"), "x");
  EXPECT_EQ(names("SELECT a, a FROM t UNION SELECT id AS z, id AS z FROM users"), "a,a_2");
  EXPECT_EQ(names("SELECT count(*) AS n FROM (SELECT a + 1, a + 2 FROM t) q"), "n");
  // Who names one of them is told, as PostgreSQL does.
  EXPECT_EQ(ErrorOf("SELECT max(a), max(b) FROM t ORDER BY max").substr(0, 6), "MR2006");
  EXPECT_EQ(ErrorOf("SELECT q.n FROM (SELECT a AS n, b AS n FROM t) q").substr(0, 6), "MR2005");
  EXPECT_EQ(ErrorOf("SELECT a + 1 AS n, a + 2 AS n FROM t GROUP BY n").substr(0, 6), "MR2006");
}

TEST_F(CompileQueryTest, NowIsOneMomentForTheWholeQuery) {
  const auto query = Compile(
      "SELECT now() AS a, current_timestamp AS b FROM t WHERE at < now() GROUP BY now() "
      "HAVING max(at) < now() ORDER BY now()");
  ASSERT_TRUE(query) << query.error().ToString();
  EXPECT_NE(ExplainPlan(*query->plan).find("2026-01-01"), std::string::npos)
      << ExplainPlan(*query->plan);
  EXPECT_EQ(ErrorOf("SELECT random() FROM t").substr(0, 6), "MR2002");
}

TEST_F(CompileQueryTest, Explains) {
  EXPECT_EQ(Compile("EXPLAIN SELECT a FROM t")->explain, QueryDefinition::Explain::kPlan);
  for (const char* sql : {"EXPLAIN ANALYZE SELECT a FROM t", "EXPLAIN (ANALYZE) SELECT a FROM t",
                          "EXPLAIN (ANALYZE true) SELECT a FROM t"}) {
    ASSERT_TRUE(Compile(sql)) << ErrorOf(sql);
    EXPECT_EQ(Compile(sql)->explain, QueryDefinition::Explain::kAnalyze);
  }
  for (const char* sql : {"EXPLAIN VERBOSE SELECT a FROM t", "EXPLAIN (COSTS off) SELECT a FROM t",
                          "EXPLAIN (FORMAT json) SELECT a FROM t", "EXPLAIN DELETE FROM t"}) {
    EXPECT_EQ(ErrorOf(sql).substr(0, 6), "MR2002") << sql;
  }
}

TEST_F(CompileQueryTest, RefusesEverythingElse) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "MR2001"},
      {"SELEC a FROM t", "MR2001: line 1, column 1"},
      {"SELECT a\nFROM u", "MR2004: line 2, column 6: table or view does not exist: u"},
      {"SELECT a FROM t; SELECT a FROM t", "MR2001: line 1, column 1: there is more than one"},
      {"DELETE FROM t", "MR2002"},
      {"CREATE TABLE x (a int)", "MR2002"},
      {"SELECT a INTO x FROM t", "MR2002"},
      {"SELECT a FROM t FOR UPDATE", "MR2002"},
      {"SELECT a FROM t ORDER BY 2", "MR2013"},
      {"SELECT a FROM t ORDER BY j", "MR2008"},
      {"SELECT a FROM t ORDER BY x", "MR2005"},
      {"SELECT a FROM t ORDER BY a USING <", "MR2002"},
      {"SELECT DISTINCT a FROM t ORDER BY b", "MR2011"},
      {"SELECT b FROM t GROUP BY b ORDER BY a", "MR2011"},
      {"SELECT a FROM t UNION ALL SELECT a FROM t ORDER BY a + 1", "MR2002"},
      {"SELECT x FROM (SELECT a AS x FROM t LIMIT 1) s", "MR2002"},
      {"WITH s AS (SELECT a FROM t ORDER BY a) SELECT a FROM s", "MR2002"},
      {"SELECT x.a FROM t x JOIN t y ON x.a < y.a", "MR2002"},
  };
  for (const auto& [sql, error] : cases) {
    EXPECT_EQ(ErrorOf(sql).substr(0, error.size()), error) << sql;
  }
}

TEST_F(CompileQueryTest, RefusesQueriesThatGrowWithoutEnd) {
  std::string sql = "WITH q0 AS (SELECT a FROM t)";
  for (int i = 1; i < 60; ++i) {
    sql += fmt::format(", q{0} AS (SELECT a FROM q{1} UNION ALL SELECT a FROM q{1})", i, i - 1);
  }
  EXPECT_EQ(ErrorOf(sql + " SELECT a FROM q59").substr(0, 6), "MR2003");
}

}  // namespace
}  // namespace millrace
