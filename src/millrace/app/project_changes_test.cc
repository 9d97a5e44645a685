// A project that is changed between two starts over one data directory.

#include "millrace/app/project_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_testing.h"
#include "millrace/app/view_build.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kClicks =
    "CREATE TABLE clicks (url text NOT NULL, price bigint, at timestamptz NOT NULL)\n"
    "  WITH (connector = 'http', event_time = 'at', partitions = 1);\n";
constexpr std::string_view kCounts =
    "CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;\n";
constexpr std::string_view kTotal =
    "CREATE MATERIALIZED VIEW total AS SELECT sum(n)::bigint AS n FROM counts;\n";

std::string Sql(std::initializer_list<std::string_view> parts) {
  std::string sql;
  for (const std::string_view part : parts) {
    sql += part;
  }
  return sql;
}

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string replaced(text);
  return replaced.replace(replaced.find(from), from.size(), to);
}

ProjectDefinition Compile(std::string_view sql) {
  const SqlFile file{.path = "test.sql", .text = std::string(sql)};
  auto definition = CompileProject(std::span(&file, 1), {}, nullptr);
  EXPECT_TRUE(definition) << definition.error().ToString();
  return *std::move(definition);
}

class ProjectChangesTest : public PlatformFixture {
 protected:
  /// Returns once all that is built anew serves.
  void StartAgain(std::string_view sql) {
    Stop();
    Start(sql);
    while (!platform_->views()->next.empty()) {
      Answer<std::string>().WaitBriefly();
    }
  }

  /// What a start over the data directory would do, "counts: rebuilt: its query has changed".
  std::vector<std::string> Changes(std::string_view sql, const ProjectChangeOptions& options = {}) {
    const auto changes = Find(sql, options);
    EXPECT_TRUE(changes) << changes.error().ToString();
    std::vector<std::string> lines;
    for (const ProjectChange& change : changes->list()) {
      lines.push_back(fmt::format("{}: {}{}{}", change.name, Name(change.kind),
                                  change.reason.empty() ? "" : ": ", change.reason));
    }
    return lines;
  }

  Result<ProjectChanges> Find(std::string_view sql, const ProjectChangeOptions& options = {}) {
    Stop();
    const auto transport = EmbeddedTransport::Open(files_, clock_, "/data", {});
    EXPECT_TRUE(transport);
    return ProjectChanges::Find(Compile(sql), **transport, options);
  }

  void PostClicks(int count) {
    for (int i = 0; i < count; ++i) {
      const auto posted =
          Post(fmt::format(R"({{"url":"/{}","price":{},"at":"2026-01-01T00:00:01Z"}})", i % 2, i));
      ASSERT_TRUE(posted) << posted.error().ToString();
      position_ = posted->position;
    }
  }

  std::string RowsOf(const std::string& view, const std::string& order) {
    const auto rows = Query({.view = view, .order = {{order, false}}, .wait_for = position_});
    return rows ? *rows : rows.error().ToString();
  }

  std::string position_;
};

TEST_F(ProjectChangesTest, SaysWhatAStartWouldDo) {
  Start(Sql({kClicks, kCounts, kTotal}));
  EXPECT_THAT(Changes(Sql({kClicks, kCounts, kTotal})),
              ElementsAre("clicks: kept", "counts: kept", "total: kept"));
  const std::string distinct = Replaced(kCounts, "count(*)", "count(price)");
  EXPECT_THAT(Changes(Sql({kClicks, distinct, kTotal})),
              ElementsAre("clicks: kept", "counts: rebuilt: its query has changed",
                          "total: rebuilt: counts is rebuilt"));
  EXPECT_THAT(Changes(Sql({Replaced(kClicks, "price bigint", "price bigint, more text"), kCounts})),
              ElementsAre("clicks: changed: column more is new", "counts: kept",
                          "total: no longer defined"));
  EXPECT_THAT(Changes(Sql({kClicks, kCounts}), {.prune = true}),
              ElementsAre("clicks: kept", "counts: kept", "total: dropped"));
  EXPECT_THAT(Changes(Sql({kClicks}), {.state_partitions = 8}),
              ElementsAre("clicks: kept", "counts: no longer defined", "total: no longer defined"));
  EXPECT_THAT(Changes(Sql({kClicks, kCounts, kTotal}), {.state_partitions = 8}),
              ElementsAre("clicks: kept", "counts: kept", "total: kept"))
      << "they keep the number that they have";
}

TEST_F(ProjectChangesTest, RebuildsAChangedViewFromAllRecords) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  EXPECT_THAT(RowsOf("counts", "url"), HasSubstr(R"([{"url":"/0","n":4},{"url":"/1","n":3}])"));
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":7}])"));
  StartAgain(Sql({kClicks, Replaced(kCounts, "count(*)", "sum(price)::bigint"), kTotal}));
  EXPECT_THAT(RowsOf("counts", "url"), HasSubstr(R"([{"url":"/0","n":12},{"url":"/1","n":9}])"));
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":21}])"));
  PostClicks(1);
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":21}])"));
  // And back, and over a restart of what was rebuilt.
  StartAgain(Sql({kClicks, kCounts, kTotal}));
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":8}])"));
  StartAgain(Sql({kClicks, kCounts, kTotal}));
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":8}])"));
}

TEST_F(ProjectChangesTest, BuildsANewViewFromAllRecords) {
  Start(Sql({kClicks}));
  PostClicks(5);
  StartAgain(Sql({kClicks, kCounts, kTotal}));
  EXPECT_THAT(RowsOf("total", "n"), HasSubstr(R"([{"n":5}])"));
}

TEST_F(ProjectChangesTest, ANewReaderLearnsHowFarTimeIs) {
  const std::string_view timed =
      "CREATE TABLE clicks (url text, at timestamptz) WITH (event_time = 'at', partitions = 1);\n"
      "CREATE MATERIALIZED VIEW known AS SELECT url, at FROM clicks WHERE url <> '';\n";
  Start(timed);
  for (const char* at : {"00:00:01", "00:00:02", "00:01:00", "00:02:00"}) {
    const auto posted = Post(fmt::format(R"({{"url":"/","at":"2026-01-01T{}Z"}})", at));
    ASSERT_TRUE(posted);
    position_ = posted->position;
  }
  EXPECT_THAT(RowsOf("known", "at"), HasSubstr("00:02:00"));
  const StreamId known = platform_->transport().FindStream("known")->id;
  EXPECT_EQ(platform_->transport().Describe(known, PartitionId(0)).durable_end, Offset(4))
      << "rows alone, while no view reads them";
  StartAgain(Sql({timed,
                  "CREATE MATERIALIZED VIEW per_minute WITH (emit = 'final') AS SELECT "
                  "window_start, count(*) AS n FROM tumble(known, at, interval '1 minute') "
                  "GROUP BY window_start;"}));
  auto feed =
      OpenFeed({.kind = serve::FeedKind::kView, .name = "per_minute", .with_snapshot = true});
  ASSERT_TRUE(feed);
  EXPECT_THAT(ReadUntil(**feed, "00:01:00Z"), HasSubstr("00:00:00Z\",\"n\":2"));
}

TEST_F(ProjectChangesTest, ASinkOfARebuiltViewWaits) {
  const std::string_view sink =
      "CREATE TABLE out (url text, n bigint) WITH (connector = 'blackhole');\n"
      "INSERT INTO out SELECT * FROM counts;\n";
  const std::string changed = Sql({kClicks, Replaced(kCounts, "count(*)", "count(price)"), sink});
  Start(Sql({kClicks, kCounts, sink}));
  PostClicks(2);
  while (platform_->transport().ReaderPositions("sink:out").empty()) {
    Answer<std::string>().WaitBriefly();
  }
  EXPECT_EQ(platform_->sinks().at("out").definition->stream, "counts");
  EXPECT_THAT(Changes(Sql({kClicks, kCounts, sink})),
              ElementsAre("clicks: kept", "counts: kept", "out: kept"));
  const std::string_view rebuilt = "counts: rebuilt: its query has changed";
  EXPECT_THAT(
      Changes(changed),
      ElementsAre("clicks: kept", rebuilt, "out: waits for --rebuild-sinks: what it reads is new"));
  Start(changed);
  EXPECT_EQ(platform_->sinks().at("out").thread, nullptr);
  StartAgain(changed);
  EXPECT_EQ(platform_->sinks().at("out").thread, nullptr) << "also after another start";
  EXPECT_THAT(Changes(changed, {.rebuild_sinks = true}),
              ElementsAre("clicks: kept", "counts: kept", "out: rebuilt: what it reads is new"));
}

TEST_F(ProjectChangesTest, AddsAColumnToATableAndRebuildsNothing) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(2);
  const std::string wider = Replaced(kClicks, "price bigint", "price bigint, who text");
  StartAgain(Sql({wider, kCounts}));
  const auto posted = Post(R"({"url":"/0","who":"me","at":"2026-01-01T00:00:02Z"})");
  ASSERT_TRUE(posted);
  position_ = posted->position;
  EXPECT_THAT(RowsOf("counts", "url"), HasSubstr(R"([{"url":"/0","n":2},{"url":"/1","n":1}])"));
  const auto records = Records({.stream = "clicks", .from = ""});
  ASSERT_TRUE(records);
  EXPECT_THAT(*records, HasSubstr(R"("who":null)"));
  EXPECT_THAT(*records, HasSubstr(R"("who":"me")"));
  EXPECT_THAT(Changes(Sql({wider, kCounts})), ElementsAre("clicks: kept", "counts: kept"));
}

TEST_F(ProjectChangesTest, AColumnThatWasTakenAwayDoesNotComeBack) {
  Start(Sql({kClicks}));
  PostClicks(2);
  const std::string without = Replaced(kClicks, "price bigint, ", "");
  EXPECT_THAT(Changes(without), ElementsAre("clicks: changed: column price is gone"));
  StartAgain(without);
  EXPECT_THAT(Changes(without), ElementsAre("clicks: kept"));
  for (const std::string_view column : {"price bigint, ", "price text, "}) {
    const auto changes = Find(Replaced(kClicks, "price bigint, ", column));
    ASSERT_FALSE(changes) << "some of the stored records have the old values";
    EXPECT_THAT(changes.error().message(), HasSubstr("column price was taken away"));
  }
  const std::string wider = Replaced(kClicks, "price bigint, ", "cost text, ");
  StartAgain(wider);
  const auto records = Records({.stream = "clicks", .from = ""});
  ASSERT_TRUE(records);
  EXPECT_THAT(*records, HasSubstr(R"("cost":null)"));
  EXPECT_FALSE(Find(Replaced(kClicks, "price bigint, ", "price bigint, cost text, ")))
      << "it is remembered";
}

TEST_F(ProjectChangesTest, ASinkThatReadsAnotherStreamFromNowOnWaits) {
  const std::string_view table = "CREATE TABLE out (url text) WITH (connector = 'blackhole');\n";
  const std::string plain = Sql({kClicks, table, "INSERT INTO out SELECT url FROM names;\n",
                                 "CREATE MATERIALIZED VIEW names AS SELECT url FROM clicks;\n"});
  Start(plain);
  PostClicks(2);
  while (platform_->transport().ReaderPositions("sink:out").empty()) {
    Answer<std::string>().WaitBriefly();
  }
  EXPECT_THAT(
      Changes(Replaced(plain, "SELECT url FROM names", "SELECT upper(url) AS url FROM names")),
      ElementsAre("clicks: kept", "names: kept",
                  "out: waits for --rebuild-sinks: what it reads is new"));
}

TEST_F(ProjectChangesTest, RefusesATableWhoseRecordsDoNotFit) {
  Start(Sql({kClicks, kCounts}));
  const auto refusal = [&](std::string_view from, std::string_view to) {
    const auto changes = Find(Replaced(kClicks, from, to));
    EXPECT_FALSE(changes);
    EXPECT_EQ(changes.error().code(), ErrorCode::kDefinitionChanged);
    return changes.error().message();
  };
  EXPECT_THAT(refusal("price bigint", "price text"), HasSubstr("price was bigint and is text"));
  EXPECT_THAT(refusal("price bigint", "price bigint NOT NULL"), HasSubstr("was not NOT NULL"));
  EXPECT_THAT(refusal("price bigint", "price bigint, more text NOT NULL"),
              HasSubstr("more is new and NOT NULL"));
  EXPECT_THAT(refusal("partitions = 1", "partitions = 2"), HasSubstr("1 partitions and not 2"));
  EXPECT_THAT(refusal("event_time = 'at', ", ""), HasSubstr("event_time"));
  const auto view = Find(Sql({Replaced(kClicks, "clicks", "counts")}));
  ASSERT_FALSE(view);
  EXPECT_THAT(view.error().message(), HasSubstr("it was a view"));
  const auto table = Find(
      "CREATE TABLE t (a bigint);"
      "CREATE MATERIALIZED VIEW clicks AS SELECT a FROM t;");
  ASSERT_FALSE(table);
  EXPECT_THAT(table.error().message(), HasSubstr("has a table of this name"));
}

TEST_F(ProjectChangesTest, PrunesWhatIsNoLongerDefined) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(3);
  Stop();
  {
    const auto transport = EmbeddedTransport::Open(files_, clock_, "/data", {});
    const auto changes = ProjectChanges::Find(Compile("CREATE TABLE other (a bigint);"),
                                              **transport, {.prune = true});
    ASSERT_TRUE(changes && changes->Apply(**transport));
    for (const char* name : {"clicks", "errors$clicks", "counts", "state$counts", "total"}) {
      EXPECT_FALSE((*transport)->FindStream(name)) << name;
    }
  }
  Start(Sql({Replaced(kClicks, "price bigint", "price text"), kCounts}));
  position_.clear();
  EXPECT_THAT(RowsOf("counts", "url"), HasSubstr(R"("rows":[])"));
}

TEST_F(ProjectChangesTest, RebuildsOverLessHistoryOnlyWhenTold) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(4);
  Stop();
  {
    const auto transport = EmbeddedTransport::Open(files_, clock_, "/data", {});
    const auto epoch = (*transport)->BeginEpoch();
    epoch->Trim((*transport)->FindStream("clicks")->id, PartitionId(0), Offset(2));
    epoch->CommitAsync({});
  }
  const std::string changed = Sql({kClicks, Replaced(kCounts, "count(*)", "count(price)")});
  const auto refused = Find(changed);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kDefinitionChanged);
  EXPECT_THAT(refused.error().ToString(), HasSubstr("--accept-partial-history"));
  EXPECT_THAT(Changes(changed, {.accept_partial_history = true}),
              ElementsAre("clicks: kept", "counts: rebuilt: its query has changed"));
  EXPECT_THAT(Changes(Sql({kClicks, kCounts})), ElementsAre("clicks: kept", "counts: kept"));
}

TEST(ViewBuild, IsDoneOnceAllThatWasThereIsTakenIn) {
  const auto transport = MemoryTransport::Immediate();
  const ProjectDefinition project = Compile(Sql({kClicks, kCounts}));
  const ViewDefinition& view = *project.FindView("counts");
  const auto clicks = transport->CreateStream(
      {.name = "clicks", .partitions = 1, .schema = project.FindTable("clicks")->schema});
  ASSERT_TRUE(clicks);
  const auto progress_of = [&](const ViewBuild& build) {
    return build.Progress(transport->ReaderPositions("view:counts"));
  };
  EXPECT_EQ(progress_of(**ViewBuild::Start(view, *transport)), 1) << "nothing was there";

  const auto append = [&] {
    auto epoch = transport->BeginEpoch();
    epoch->AppendOpaque(*clicks, PartitionId(0), FrameType::kControl,
                        ControlFrame{.kind = ControlFrame::Kind::kIdle}.Encode());
    epoch->CommitAsync({});
  };
  const auto read_to = [&](int64_t offset) {
    auto epoch = transport->BeginEpoch();
    epoch->SetPosition("view:counts", *clicks, PartitionId(0), Offset(offset));
    epoch->CommitAsync({});
  };
  for (int i = 0; i < 4; ++i) {
    append();
  }
  const auto build = *ViewBuild::Start(view, *transport);
  EXPECT_EQ(progress_of(*build), 0);
  ASSERT_TRUE(transport->CreateStream({.name = "state$counts", .partitions = 1, .schema = {}}));
  append();
  read_to(3);
  EXPECT_EQ(progress_of(*build), 0.75);
  build->Clear();
  EXPECT_EQ(progress_of(**ViewBuild::Start(view, *transport)), 0.75) << "after a restart";
  read_to(4);
  EXPECT_EQ(progress_of(*build), 1);
  EXPECT_TRUE(build->done()) << "what came later does not count";
  build->Clear();
  EXPECT_TRUE(transport->ReadSourcePositions("build:counts").empty());
  EXPECT_TRUE((*ViewBuild::Start(view, *transport))->done());
}

}  // namespace
}  // namespace millrace
