#include "millrace/sql/compile_project.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::string_view kClicks =
    "CREATE TABLE clicks (user_id text NOT NULL, url text, price numeric(12,2), n bigint,\n"
    "  at timestamptz, day date GENERATED ALWAYS AS (at::date) STORED)\n"
    "  WITH (connector = 'http', event_time = 'at', watermark_delay = '5 seconds');\n";

/// Returns EXPLAIN of the view v, or all errors.
std::string Explain(const std::string& sql) {
  const SqlFile file{"a.sql", std::string(kClicks) + sql};
  std::vector<ProjectError> errors;
  const auto project = CompileProject({&file, 1}, {}, &errors);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  return project ? "\n" + ExplainPlan(*project->FindView("v")->plan) : text;
}

std::string ExplainView(const std::string& query, const std::string& with = "") {
  return Explain("CREATE MATERIALIZED VIEW v " + with + " AS " + query);
}

TEST(CompileProjectTest, CompilesTumblingCount) {
  EXPECT_EQ(ExplainView("SELECT window_start, url, count(*) AS n "
                        "FROM tumble(clicks, at, interval '1 minute') "
                        "WHERE n > 3 GROUP BY window_start, window_end, url",
                        "WITH (emit = 'final', grace = '10 seconds')"),
            R"(
Project window_start, url, agg_1 AS n
  Aggregate by window_start, window_end, url: count(*) AS agg_1)"
            R"( [window window_start of 00:01:00, grace 00:00:10, final]
    Tumble at by 00:01:00
      Filter (n > 3)
        Scan clicks (url, n, at)
)");
}

TEST(CompileProjectTest, ReadsTableOptions) {
  const SqlFile file{"a.sql", std::string(kClicks)};
  const auto project = CompileProject({&file, 1}, {.default_partitions = 7}, nullptr);
  ASSERT_TRUE(project);
  const TableDefinition& table = project->tables.at(0);
  EXPECT_EQ(table.event_time, 4U);
  EXPECT_EQ(table.watermark_delay, 5 * kMicrosPerSecond);
  EXPECT_EQ(table.partitions, 7U);
  EXPECT_EQ(table.options, (WithOptionMap{{"connector", {"http", {"a.sql", 3, 9}}}}));
  EXPECT_FALSE(table.schema->field(0).nullable);
  ASSERT_EQ(table.generated.size(), 1U);
  EXPECT_EQ(table.generated[0].column, 5U);
  EXPECT_EQ(table.location.ToString(), "a.sql:1:14");
}

TEST(CompileProjectTest, ReportsEveryWrongOptionWhereItStands) {
  const SqlFile file{"a.sql",
                     "CREATE TABLE t (at timestamptz) WITH (event_time = 'at', partitions = 0,\n"
                     "  watermark_delay = 'soon', path = 'x');\n"
                     "CREATE MATERIALIZED VIEW v WITH (emmit = 'final', grace = '1 month') AS\n"
                     "SELECT at FROM t"};
  const auto refuse_path = [](const TableDefinition& table, std::vector<ProjectError>& errors) {
    ASSERT_EQ(table.options.size(), 1U);
    errors.push_back({table.options.at("path").location,
                      Error(ErrorCode::kConfigUnknownKey, "there are no paths")});
  };
  std::vector<ProjectError> errors;
  const auto project = CompileProject({&file, 1}, {.check_connector = refuse_path}, &errors);
  ASSERT_FALSE(project);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  EXPECT_EQ(text,
            "a.sql:1:58: MR1003: partitions: expected 1 .. 1024, got '0'\n"
            "a.sql:2:3: MR1003: watermark_delay: expected a time with its unit such as 5 s or 100 "
            "ms, got 'soon'\n"
            "a.sql:2:29: MR1002: there are no paths\n"
            "a.sql:3:34: MR1002: unknown option 'emmit' (did you mean 'emit'?)\n"
            "a.sql:3:51: MR1003: grace: expected a time with its unit such as 5 s or 100 ms, got "
            "'1 month'\n");
}

TEST(CompileProjectTest, TakesWindowSizeAndGraceOfTheConfiguration) {
  const SqlFile file{"a.sql",
                     std::string(kClicks) +
                         "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n "
                         "FROM tumble(clicks, at) GROUP BY window_start;"
                         "CREATE MATERIALIZED VIEW w WITH (grace = '0 s') AS SELECT "
                         "window_start, count(*) AS n "
                         "FROM tumble(clicks, at, interval '1 hour') GROUP BY 1"};
  const auto project = CompileProject(
      {&file, 1},
      {.default_grace = 7 * kMicrosPerSecond, .default_window_size = 90 * kMicrosPerSecond},
      nullptr);
  ASSERT_TRUE(project) << project.error().ToString();
  const auto explained = [&](std::string_view view) {
    return ExplainPlan(*project->FindView(view)->plan);
  };
  EXPECT_NE(explained("v").find("[window window_start of 00:01:30, grace 00:00:07]"),
            std::string::npos)
      << explained("v");
  EXPECT_NE(explained("w").find("[window window_start of 01:00:00, grace 00:00:00]"),
            std::string::npos)
      << explained("w");
}

TEST(CompileProjectTest, GroupsByPositionAliasAndExpression) {
  EXPECT_EQ(ExplainView("SELECT lower(url) AS u, day, sum(n) / count(*) AS mean FROM clicks "
                        "GROUP BY u, 2 HAVING count(*) > 1"),
            R"(
Project lower(url) AS u, day, (agg_1 / agg_2::numeric(19,0)) AS mean
  Filter (agg_2 > 1)
    Aggregate by lower(url), day: sum(n) AS agg_1, count(*) AS agg_2
      Project lower(url), day, n
        Scan clicks (url, n, day)
)");
}

TEST(CompileProjectTest, InlinesPlainViewsInAnyOrder) {
  EXPECT_EQ(Explain("CREATE MATERIALIZED VIEW v AS SELECT w, max(price) AS p, min(url) FILTER "
                    "(WHERE n > 0) AS u FROM windows GROUP BY w;"
                    "CREATE VIEW windows AS SELECT window_start AS w, * "
                    "FROM tumble(clicks, at, '5 minutes') AS c WHERE url LIKE 'a%'"),
            R"(
Project w, agg_1 AS p, agg_2 AS u
  Aggregate by w: max(price) AS agg_1, min(CASE WHEN (n > 0) THEN url ELSE NULL END) AS agg_2)"
            R"( [window w of 00:05:00, grace 00:00:00]
    Project window_start AS w, window_end, price, CASE WHEN (n > 0) THEN url ELSE NULL END
      Tumble at by 00:05:00
        Filter (url ~~ 'a%')
          Scan clicks (url, price, n, at)
)");
}

TEST(CompileProjectTest, ReadsOtherMaterializedViews) {
  const std::string first =
      "CREATE MATERIALIZED VIEW counts WITH (emit = final) AS SELECT window_start, url, count(*) "
      "AS n "
      "FROM tumble(clicks, at, '1 minute') GROUP BY 1, 2;";
  const SqlFile file{"a.sql", std::string(kClicks) + first +
                                  "CREATE MATERIALIZED VIEW v AS SELECT DISTINCT url FROM counts"};
  const auto project = CompileProject({&file, 1}, {}, nullptr);
  ASSERT_TRUE(project) << project.error().ToString();
  ASSERT_EQ(project->views.size(), 2U);
  EXPECT_EQ(project->views[0].name, "counts");
  EXPECT_TRUE(project->views[0].plan->properties.append_only);
  EXPECT_EQ(project->views[0].plan->properties.event_time, 0U);
  EXPECT_EQ(project->views[1].inputs, std::vector<std::string>{"counts"});
  EXPECT_TRUE(project->views[1].plan->properties.append_only);
  EXPECT_EQ(project->views[1].sql, "CREATE MATERIALIZED VIEW v AS SELECT DISTINCT url FROM counts");
  EXPECT_NE(Fingerprint(*project->views[0].plan), Fingerprint(*project->views[1].plan));
}

TEST(CompileProjectTest, AddsTheMissingSideOfAWindow) {
  EXPECT_EQ(Explain("CREATE VIEW w AS SELECT window_end AS e FROM tumble(clicks, at, '1 minute');"
                    "CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS "
                    "SELECT e, count(*) AS n FROM w GROUP BY e"),
            R"(
Project e, agg_1 AS n
  Aggregate by e, (e + interval '-00:01:00'): count(*) AS agg_1)"
            R"( [window (e + interval '-00:01:00') of 00:01:00, grace 00:00:00, final]
    Project window_end AS e, (window_end + interval '-00:01:00') AS (e + interval '-00:01:00')
      Tumble at by 00:01:00
        Scan clicks (at)
)");
}

TEST(CompileProjectTest, GivesPostgresResultTypes) {
  const SqlFile file{"a.sql",
                     "CREATE TABLE t (i int, l bigint, r real, d float8, n numeric(8,3));"
                     "CREATE MATERIALIZED VIEW v AS SELECT sum(i) AS a, sum(l) AS b, "
                     "sum(r) AS c, avg(i) AS d, avg(d) AS e, sum(n) AS f, avg(n) AS g, "
                     "count(i) AS h, max(n) AS k FROM t"};
  const auto project = CompileProject({&file, 1}, {}, nullptr);
  ASSERT_TRUE(project);
  std::string types;
  for (const Field& field : project->views[0].plan->schema->fields()) {
    types += field.type.ToString() + " ";
  }
  EXPECT_EQ(types,
            "bigint numeric(38,0) real numeric(38,16) double precision numeric(38,3) "
            "numeric(38,16) bigint numeric(8,3) ");
}

TEST(CompileProjectTest, ReportsAllErrorsWithTheirPlaces) {
  const SqlFile files[] = {
      {"b.sql", "CREATE VIEW a AS SELECT nam FROM t;\nCREATE VIEW c AS SELECT * FROM a;"},
      {"a.sql", "CREATE TABLE t (name text, x nix);"},
      {"c.sql", "CREATE TABLE u (name text);\nCREATE VIEW x AS SELECT nam\n FROM u"},
      {"d.sql", "SELECT 1 FROM"},
  };
  std::vector<ProjectError> errors;
  const auto project = CompileProject(files, {}, &errors);
  ASSERT_FALSE(project);
  std::string text;
  for (const ProjectError& error : errors) {
    text += error.ToString() + "\n";
  }
  EXPECT_EQ(text,
            "a.sql:1:30: MR2014: type does not exist: nix\n"
            "c.sql:2:25: MR2005: column does not exist: nam (did you mean name?)\n"
            "d.sql:1:14: MR2001: syntax error at end of input\n");
}

TEST(CompileProjectTest, FindsCycles) {
  EXPECT_EQ(Explain("CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a;"
                    "CREATE MATERIALIZED VIEW v AS SELECT * FROM clicks"),
            "a.sql:4:66: MR2015: views depend on each other: a -> b -> a\n");
}

TEST(CompileProjectTest, JoinsOnWhatIsEqualAndFiltersBefore) {
  EXPECT_EQ(ExplainView("SELECT a.url, b.price FROM clicks a, clicks b WHERE a.url = b.url "
                        "AND a.n > 1 AND b.price > 2 AND a.n < b.n"),
            R"(
Project url, price
  Filter (n < n_2)
    Join on url = url
      Filter (n > 1)
        Scan clicks (url, n)
      Filter (price > 2)
        Scan clicks (url, price, n)
)");
}

TEST(CompileProjectTest, KeepsTheConditionOfALeftJoin) {
  EXPECT_EQ(ExplainView("SELECT a.url, b.price FROM clicks a LEFT JOIN clicks b "
                        "ON a.url = b.url AND a.n > 1 AND b.n > 2 WHERE a.n < 9 AND b.n IS NULL"),
            R"(
Project url, price
  Filter (n_2 IS NULL)
    Left join on url = url if (n > 1)
      Filter (n < 9)
        Scan clicks (url, n)
      Filter (n > 2)
        Scan clicks (url, price, n)
)");
}

TEST(CompileProjectTest, FindsTheWindowOfAJoinAndOfWhatIsGroupedByIt) {
  EXPECT_EQ(Explain("CREATE MATERIALIZED VIEW v WITH (emit = 'final', grace = '3 s') AS "
                    "SELECT a.window_start, count(*) AS n FROM tumble(clicks, at, '1 minute') a "
                    "JOIN tumble(clicks, at, '1 minute') b "
                    "ON a.window_start = b.window_start AND a.url = b.url GROUP BY 1"),
            R"(
Project window_start, agg_1 AS n
  Aggregate by window_start: count(*) AS agg_1)"
            R"( [window window_start of 00:01:00, grace 00:00:03, final]
    Join on url = url [window window_start = window_start, grace 00:00:03]
      Tumble at by 00:01:00
        Scan clicks (url, at)
      Tumble at by 00:01:00
        Scan clicks (url, at)
)");
}

TEST(CompileProjectTest, FindsTheIntervalOfAJoin) {
  EXPECT_EQ(ExplainView("SELECT a.url FROM clicks a JOIN clicks b ON a.url = b.url "
                        "AND b.at BETWEEN a.at - interval '1 minute' AND a.at + interval '5 s'"),
            R"(
Project url
  Filter ((at_2 >= (at - interval '00:01:00')) AND (at_2 <= (at + interval '00:00:05')))
    Join on url = url [at - at from -00:00:05 to 00:01:00, grace 00:00:00]
      Scan clicks (url, at)
      Scan clicks (url, at)
)");
}

TEST(CompileProjectTest, ReadsATableWithAPrimaryKeyAsUpserts) {
  EXPECT_EQ(Explain("CREATE TABLE users (id int PRIMARY KEY, name text, state text) "
                    "WITH (delete_when = 'state = ''gone''');"
                    "CREATE MATERIALIZED VIEW v AS SELECT name FROM users"),
            R"(
Project name
  Latest by id, deleted by deleted
    Project id, name, (state = 'gone') AS deleted
      Scan users (id, name, state)
)");
}

TEST(CompileProjectTest, CarriesAStreamOrTheRowsOfAQueryToASink) {
  const SqlFile file{"a.sql", std::string(kClicks) + R"(
INSERT INTO all_of_it SELECT url AS u, n AS m FROM counts;
INSERT INTO few SELECT url FROM clicks WHERE n > 3;
CREATE TABLE all_of_it (a text, b bigint) WITH (connector = 'x');
CREATE TABLE few (a text) WITH (connector = 'x');
CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;
)"};
  std::vector<std::string> seen;
  CompileOptions options;
  options.check_sink = [&](const SinkDefinition& sink, std::vector<ProjectError>&) {
    seen.push_back(
        fmt::format("{} <- {}{}", sink.table.name, sink.stream, sink.retracts ? ", retracts" : ""));
  };
  const auto project = CompileProject({&file, 1}, options, nullptr);
  ASSERT_TRUE(project);
  EXPECT_THAT(seen,
              testing::UnorderedElementsAre("all_of_it <- counts, retracts", "few <- insert$few"));
  EXPECT_EQ(project->tables.size(), 1U) << "a sink's table is no stream";
  EXPECT_TRUE(project->FindView("insert$few")->of_insert);
  EXPECT_EQ(project->sinks.size(), 2U);
}

TEST(CompileProjectTest, InsertsIntoTheColumnsThatItNames) {
  const SqlFile file{"a.sql", std::string(kClicks) + R"(
CREATE TABLE o (a text, b bigint, c bigint) WITH (connector = 'x');
INSERT INTO o (c, a) SELECT n, url FROM clicks;
)"};
  const auto project = CompileProject({&file, 1}, {}, nullptr);
  ASSERT_TRUE(project);
  EXPECT_EQ("\n" + ExplainPlan(*project->FindView("insert$o")->plan), R"(
Project url AS a, NULL AS b, n AS c
  Scan clicks (url, n)
)");
}

TEST(CompileProjectTest, InsertsWhatFitsTheColumns) {
  const auto errors = [](const std::string& insert) {
    return Explain("CREATE TABLE o (a text, b bigint) WITH (connector = 'x');\n" + insert);
  };
  EXPECT_EQ(errors("INSERT INTO o SELECT url FROM clicks"),
            "a.sql:5:13: MR2008: the query has 1 columns and o has 2\n");
  EXPECT_EQ(errors("INSERT INTO o SELECT url, price FROM clicks"),
            "a.sql:5:13: MR2008: column b of o is bigint and the query gives numeric(12,2) (cast "
            "it in the query)\n");
  EXPECT_EQ(errors("INSERT INTO o (a, b) SELECT url FROM clicks"),
            "a.sql:5:13: MR2008: the query has 1 columns and the INSERT names 2\n");
  EXPECT_EQ(errors("INSERT INTO o (c) SELECT url FROM clicks"),
            "a.sql:5:16: MR2005: column does not exist: c\n");
  EXPECT_EQ(errors("INSERT INTO o (a, a) SELECT url, url AS v FROM clicks"),
            "a.sql:5:19: MR2009: named twice: a\n");
}

TEST(CompileProjectTest, NamesJoinsThatKeepAWholeStream) {
  const auto unbounded = [](const std::string& query) {
    const SqlFile file{"a.sql", std::string(kClicks) + R"(
CREATE TABLE visits (user_id text, at timestamptz) WITH (event_time = 'at');
CREATE TABLE users (user_id text PRIMARY KEY, name text);
CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;
CREATE MATERIALIZED VIEW v AS )" + query};
    const auto project = CompileProject({&file, 1}, {}, nullptr);
    return project ? UnboundedJoins(*project->FindView("v")->plan)
                   : std::vector<std::string>{"does not compile"};
  };
  EXPECT_THAT(unbounded("SELECT c.url, v.at FROM clicks c JOIN visits v USING (user_id)"),
              testing::ElementsAre("Join on user_id = user_id"));
  EXPECT_THAT(unbounded("SELECT c.url, u.name FROM clicks c LEFT JOIN users u USING (user_id)"),
              testing::ElementsAre("Left join on user_id = user_id"));
  EXPECT_THAT(unbounded("SELECT c.url, v.at FROM clicks c JOIN visits v ON c.user_id = v.user_id "
                        "AND v.at BETWEEN c.at AND c.at + interval '1 hour'"),
              testing::IsEmpty());
  EXPECT_THAT(unbounded("SELECT a.n FROM counts a JOIN counts b ON a.n = b.n"), testing::IsEmpty())
      << "both sides are as large as their rows";
}

}  // namespace
}  // namespace millrace
