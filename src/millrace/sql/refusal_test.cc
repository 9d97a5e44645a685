#include <gtest/gtest.h>

#include "millrace/sql/compile_project.h"

namespace millrace {
namespace {

struct Case {
  std::string_view sql;
  std::string_view error;  ///< "line:column code" of the first error, and a part of its message.
  std::string_view part;
};

constexpr std::string_view kTable =
    "CREATE TABLE t (a int, b text, at timestamptz, at2 timestamptz) WITH (event_time = 'at');\n";

void ExpectRefused(std::string_view prefix, std::initializer_list<Case> cases) {
  for (const Case& each : cases) {
    const SqlFile file{"x.sql", fmt::format("{}{}{}", kTable, prefix, each.sql)};
    std::vector<ProjectError> errors;
    const auto project = CompileProject({&file, 1}, {}, &errors);
    ASSERT_FALSE(project) << each.sql;
    const ProjectError& first = errors.front();
    EXPECT_EQ(
        fmt::format("{}:{} {}", first.location.line, first.location.column, first.error.number()),
        each.error)
        << each.sql << "\n"
        << first.ToString();
    EXPECT_NE(first.ToString().find(each.part), std::string::npos) << first.ToString();
  }
}

TEST(RefusalTest, Queries) {
  // The query begins in column 18.
  ExpectRefused(
      "CREATE VIEW v AS ",
      {{"SELECT a FROM t ORDER BY a", "2:13 2002", "ORDER BY"},
       {"SELECT a FROM t LIMIT 3", "2:13 2002", "LIMIT"},
       {"SELECT a FROM t EXCEPT SELECT a FROM t", "2:13 2002", "EXCEPT"},
       {"SELECT a FROM t UNION SELECT b FROM t", "2:13 2008", "column a of the UNION"},
       {"SELECT a FROM t UNION SELECT a, b FROM t", "2:13 2008", "1 and 2 columns"},
       {"WITH RECURSIVE x AS (SELECT a FROM t) SELECT a FROM x", "2:13 2002", "RECURSIVE"},
       {"WITH x AS (SELECT a FROM t), x AS (SELECT a FROM t) SELECT a FROM x", "2:47 2009",
        "named twice"},
       {"SELECT DISTINCT ON (a) a FROM t", "2:38 2002", "DISTINCT ON"},
       {"SELECT t.a FROM t FULL JOIN t AS u ON t.a = u.a", "2:13 2002", "FULL JOIN"},
       {"SELECT t.a FROM t NATURAL JOIN t AS u", "2:13 2002", "NATURAL"},
       {"SELECT 1 AS x FROM t, t", "2:40 2009", "named twice"},
       {"SELECT 1", "2:13 2002", "SELECT without FROM"},
       {"VALUES (1)", "2:13 2002", "VALUES"},
       {"SELECT a FROM t FOR UPDATE", "2:13 2002", "FOR UPDATE"},
       {"SELECT count(DISTINCT a ORDER BY a) FROM t", "2:25 2002", "ORDER BY in count"},
       {"SELECT bool_and(a) FROM t", "2:25 2008", "not defined for type integer"},
       {"SELECT stddev(b) FROM t", "2:25 2008", "not defined for type text"},
       {"SELECT sum(a) OVER () FROM t", "2:25 2002", "OVER"},
       {"SELECT json_agg(b) FROM t", "2:25 2002", "use jsonb_agg"},
       {"SELECT array_agg(ARRAY[a]) FROM t", "2:25 2008", "not defined for type integer[]"},
       {"SELECT last(b, to_jsonb(a)) FROM t", "2:25 2008", "no order"},
       {"SELECT (SELECT 1) FROM t", "2:25 2002", "subquery"},
       {"SELECT a FROM t WHERE a IN (SELECT 1)", "2:42 2002", "subquery"},
       {"SELECT ARRAY[[1]] AS x FROM t", "2:25 2002", "one dimension"},
       {"SELECT ARRAY[1, b] AS x FROM t", "2:34 2008", "do not fit"},
       {"SELECT ARRAY[] AS x FROM t", "2:25 2008", "write the cast"},
       {"SELECT a[1] AS x FROM t", "2:25 2008", "only arrays have subscripts"},
       {"SELECT (ARRAY[1, 2])[1:2] AS x FROM t", "2:26 2002", "slice"},
       {"SELECT a < ANY (ARRAY[1]) AS x FROM t", "2:27 2002", "= ANY and <> ALL are there"},
       {"SELECT a = ANY (b) AS x FROM t", "2:34 2008", "an array is wanted, not text"},
       {"SELECT ARRAY[a] = ARRAY[b] AS x FROM t", "2:34 2007", "integer[], text[]"},
       {"SELECT array_append(ARRAY[a], b) AS x FROM t", "2:48 2008", "do not fit"},
       {"SELECT unnest(ARRAY[a]) AS x FROM t", "2:25 2002", "many rows"},
       {"SELECT $1 AS x FROM t", "2:25 2002", "parameter"},
       {"SELECT a FROM s.t", "2:32 2002", "schema name"},
       {"SELECT random() FROM t", "2:25 2002", "random"},
       {"SELECT a FROM session(t, at, '1 minute')", "2:32 2002", "session"},
       {"SELECT a FROM t GROUP BY ROLLUP (a)", "2:43 2002", "GROUPING SETS"}});
}

TEST(RefusalTest, Names) {
  ExpectRefused("CREATE VIEW v AS ",
                {{"SELECT c FROM t", "2:25 2005", "column does not exist: c"},
                 {"SELECT at3 FROM t", "2:25 2005", "did you mean at?"},
                 {"SELECT a FROM tt", "2:32 2004", "did you mean t?"},
                 {"SELECT u.a FROM t", "2:25 2004", "no table of this name"},
                 {"SELECT lowr(b) FROM t", "2:25 2007", "did you mean lower?"},
                 {"SELECT a, a FROM t", "2:28 2009", "same name"},
                 {"SELECT sum(b) FROM t", "2:25 2008", "not defined for type text"},
                 {"SELECT count() FROM t", "2:25 2007", "count(*)"},
                 {"SELECT a || 1 FROM t", "2:27 2007", "||"},
                 {"SELECT a FROM t WHERE a", "2:40 2008", "integer cannot be cast to boolean"}});
}

TEST(RefusalTest, Grouping) {
  ExpectRefused("CREATE MATERIALIZED VIEW v AS ",
                {{"SELECT a, count(*) FROM t", "2:38 2011", "must be in GROUP BY"},
                 {"SELECT a + 1 AS x FROM t GROUP BY b", "2:38 2011", "GROUP BY"},
                 {"SELECT a FROM t WHERE count(*) > 1", "2:53 2011", "not allowed in WHERE"},
                 {"SELECT sum(count(*)) FROM t", "2:42 2011", "inside another aggregate"},
                 {"SELECT count(*) FROM t GROUP BY 1", "2:63 2011", "not allowed in GROUP BY"},
                 {"SELECT a FROM t GROUP BY 2", "2:56 2011", "position"}});
}

TEST(RefusalTest, Windows) {
  ExpectRefused("CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS ",
                {{"SELECT count(*) FROM t", "2:26 2013", "GROUP BY window_start"},
                 {"SELECT window_start, count(*) FROM tumble(t, at2, '1 minute') GROUP BY 1",
                  "2:26 2013", "event time"},
                 {"SELECT a FROM t", "2:26 2013", "GROUP BY window_start"},
                 {"SELECT 1 AS x FROM tumble(t, at, '1 month')", "2:86 2012", "positive interval"},
                 {"SELECT 1 AS x FROM tumble(t, at, '-1 s')", "2:86 2012", "positive interval"},
                 {"SELECT 1 AS x FROM tumble(t, a, '1 s')", "2:82 2012", "timestamptz"},
                 {"SELECT 1 AS x FROM tumble(t, at)", "2:72 2012", "size of its windows"},
                 {"SELECT 1 AS x FROM tumble(t)", "2:72 2012", "two or three arguments"},
                 {"SELECT 1 AS x FROM tumbl(t, at, '1 s')", "2:72 2007", "tumble"},
                 {"SELECT 1 AS x FROM hop(t, at, '1 s')", "2:72 2012", "takes four arguments"},
                 {"SELECT 1 AS x FROM hop(t, at, '2 s', '1 s')", "2:72 2012", "cannot begin every"},
                 {"SELECT 1 AS x FROM hop(t, at, '1 ms', '1 h')", "2:72 2012", "at most 1000"}});
}

TEST(RefusalTest, Definitions) {
  ExpectRefused(
      "", {{"CREATE TABLE u (a int UNIQUE)", "2:23 2002", "UNIQUE"},
           {"CREATE TABLE u (a int PRIMARY KEY, PRIMARY KEY (a))", "2:36 2013", "one primary key"},
           {"CREATE TABLE u (a int, PRIMARY KEY (b))", "2:24 2005", "b"},
           {"CREATE TABLE u (a int, PRIMARY KEY (a, a))", "2:24 2009", "twice"},
           {"CREATE TABLE u (a int PRIMARY KEY, b int) WITH (partition_by = 'b')", "2:49 2013",
            "primary key"},
           {"CREATE TABLE u (a int) WITH (delete_when = 'a > 1')", "2:30 2013", "primary key"},
           {"CREATE TABLE u (a int PRIMARY KEY) WITH (delete_when = 'b')", "2:42 2005", "b"},
           {"CREATE TABLE u (a int PRIMARY KEY) WITH (delete_when = 'a > 1, a < 2')", "2:42 2013",
            "one condition"},
           {"CREATE TABLE u (a int PRIMARY KEY) WITH (delete_when = 'a > ')", "2:42 2001", ""},
           {"CREATE TABLE u (a int DEFAULT 1)", "2:23 2002", "DEFAULT"},
           {"CREATE TABLE u (a int, CHECK (a > 0))", "2:24 2002", "CHECK"},
           {"CREATE TABLE u (a int, a int)", "2:24 2009", "declared twice"},
           {"CREATE TABLE u (a int[][])", "2:19 2002", "one dimension"},
           {"CREATE TABLE u (a varchar(3))", "2:19 2002", "length"},
           {"CREATE TABLE u (a numeric(40))", "2:19 2013", "out of range"},
           {"CREATE TABLE u (a timestamp(3))", "2:19 2002", "length or precision"},
           {"CREATE TEMP TABLE u (a int)", "2:19 2002", "TEMPORARY"},
           {"CREATE TABLE IF NOT EXISTS u (a int)", "2:28 2002", "IF NOT EXISTS"},
           {"CREATE TABLE u ()", "2:14 2013", "needs a column"},
           {"CREATE TABLE t (a int)", "2:14 2009", "x.sql:1:14"},
           {"CREATE TABLE u (a int) WITH (event_time = 'a')", "2:30 2013", "timestamptz"},
           {"CREATE TABLE u (a int) WITH (event_time = 'b')", "2:30 2005", "b"},
           {"CREATE TABLE u (a int) WITH (partitions = 0)", "2:30 1003", "partitions"},
           {"CREATE TABLE u (a int) WITH (partitions = -3)", "2:30 1003", "-3"},
           {"CREATE TABLE u (a int) WITH (x = 1, x = 2)", "2:37 2009", "twice"},
           {"CREATE TABLE u (a int) WITH (watermark_delay = '1 s')", "2:14 2013", "event_time"},
           {"CREATE TABLE u (a text, b int GENERATED ALWAYS AS (a) STORED)", "2:52 2008", "cast"},
           {"INSERT INTO u SELECT 1", "2:13 2004", "u"},
           {"DROP TABLE t", "2:1 2002", "DROP"},
           {"CREATE TABLE a$b (a int)", "2:14 2013", "a$b"},
           {"CREATE MATERIALIZED VIEW next$v AS SELECT a FROM t", "2:26 2013", "next$v"},
           {"SHOW server_version", "2:1 2002", "SHOW"},
           {"TRUNCATE t", "2:1 2002", "TRUNCATE"},
           {"CREATE MATERIALIZED VIEW v WITH (emit = 'x') AS SELECT a FROM t", "2:34 1003", "emit"},
           {"CREATE MATERIALIZED VIEW v AS SELECT a FROM t WITH NO DATA", "2:26 2002", "NO DATA"},
           {"CREATE OR REPLACE VIEW v AS SELECT a FROM t", "2:24 2002", "OR REPLACE"},
           {"CREATE TABLE v AS SELECT a FROM t", "2:14 2002", "CREATE TABLE AS"}});
}

}  // namespace
}  // namespace millrace
