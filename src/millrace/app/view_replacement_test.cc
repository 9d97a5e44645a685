// Views that are built anew beside those that serve, and take their places.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/next_streams.h"
#include "millrace/app/platform_testing.h"
#include "millrace/stream/memory/memory_transport.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kClicks =
    "CREATE TABLE clicks (url text NOT NULL, price bigint, at timestamptz NOT NULL)\n"
    "  WITH (connector = 'http', event_time = 'at', partitions = 1);\n";
constexpr std::string_view kCounts =
    "CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;\n";
constexpr std::string_view kSums =
    "CREATE MATERIALIZED VIEW counts AS SELECT url, sum(price)::bigint AS s FROM clicks GROUP BY "
    "url;\n";
constexpr std::string_view kTotal =
    "CREATE MATERIALIZED VIEW total AS SELECT sum(n)::bigint AS n FROM counts;\n";
constexpr std::string_view kTotalOfSums =
    "CREATE MATERIALIZED VIEW total AS SELECT sum(s)::bigint AS s FROM counts;\n";

std::string Sql(std::initializer_list<std::string_view> parts) {
  std::string sql;
  for (const std::string_view part : parts) {
    sql += part;
  }
  return sql;
}

class ViewReplacementTest : public PlatformFixture {
 protected:
  Platform::Options Options() override {
    Platform::Options options = PlatformFixture::Options();
    options.replaces_views = replaces_;
    return options;
  }

  /// Over the same data, with views that are built beside others staying there until Replace.
  void StartAgain(std::string_view sql) {
    replaces_ = false;
    Stop();
    Start(sql);
  }

  void Replace() {
    while (!platform_->views()->next.empty()) {
      const Status replaced = platform_->ReplaceViews();
      ASSERT_TRUE(replaced) << replaced.error().ToString();
      Answer<std::string>().WaitBriefly();
    }
  }

  void PostClicks(int count) {
    for (int i = 0; i < count; ++i) {
      const auto posted =
          Post(fmt::format(R"({{"url":"/{}","price":{},"at":"2026-01-01T00:00:01Z"}})", i % 2, i));
      ASSERT_TRUE(posted) << posted.error().ToString();
      position_ = posted->position;
    }
  }

  std::string RowsOf(const std::string& view) {
    const auto rows = Query({.view = view, .wait_for = position_});
    return rows ? *rows : rows.error().ToString();
  }

  std::string Answered(std::string sql) {
    const auto rows = RunSql({.sql = std::move(sql), .wait_for = position_});
    return rows ? *rows : rows.error().ToString();
  }

  bool replaces_ = false;
  std::string position_;
};

TEST_F(ViewReplacementTest, TheViewOfNowServesUntilTheNextOneHasReadAsFar) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":7}])"));
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_THAT(RowsOf("counts"), HasSubstr(R"({"url":"/0","n":4})"));
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":7}])"));
  PostClicks(3);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":10}])")) << "it goes on";
  EXPECT_THAT(Answered("SELECT n + 1 AS m FROM total"), HasSubstr(R"([{"m":11}])"));
  const uint32_t before = platform_->transport().FindStream("counts")->id.value();

  Replace();
  EXPECT_THAT(RowsOf("counts"), HasSubstr(R"({"url":"/0","s":14})"));
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":24}])"));
  EXPECT_THAT(Answered("SELECT s + 1 AS m FROM total"), HasSubstr(R"([{"m":25}])"));
  PostClicks(2);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":25}])"));
  EXPECT_NE(platform_->transport().FindStream("counts")->id.value(), before);
  for (const StreamInfo& stream : platform_->transport().Streams()) {
    EXPECT_FALSE(IsNextName(stream.definition.name)) << stream.definition.name;
  }
  // Nothing is rebuilt by the next start, and the views go on from where they were.
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_TRUE(platform_->views()->next.empty());
  PostClicks(2);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":26}])"));
}

TEST_F(ViewReplacementTest, GoesOnWithWhatWasBuiltBeforeARestart) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  const auto next = platform_->transport().FindStream(NextName("counts"));
  ASSERT_TRUE(next);
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_EQ(platform_->transport().FindStream(NextName("counts"))->id, next->id);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":7}])"));
  Replace();
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":21}])"));
  EXPECT_EQ(platform_->transport().FindStream("counts")->id, next->id);
}

TEST_F(ViewReplacementTest, IsGivenUpWhenTheQueryIsAgainAsItWas) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  StartAgain(Sql({kClicks, kCounts, kTotal}));
  EXPECT_TRUE(platform_->views()->next.empty());
  EXPECT_FALSE(platform_->transport().FindStream(NextName("counts")));
  EXPECT_FALSE(platform_->transport().FindStream(NextName("state$total")));
  PostClicks(1);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":8}])"));
}

TEST_F(ViewReplacementTest, BeginsAnewWhenItChangesOnceMore) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  const auto first = platform_->transport().FindStream(NextName("counts"))->id;
  const std::string_view averages =
      "CREATE MATERIALIZED VIEW counts AS SELECT url, max(price) AS s FROM clicks GROUP BY url;\n";
  StartAgain(Sql({kClicks, averages, kTotalOfSums}));
  EXPECT_NE(platform_->transport().FindStream(NextName("counts"))->id, first);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":7}])"));
  Replace();
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":11}])"));
}

TEST_F(ViewReplacementTest, ATableMayHaveOtherColumnsMeanwhile) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(4);
  StartAgain(
      "CREATE TABLE clicks (who text, url text NOT NULL, price bigint, at timestamptz NOT NULL)\n"
      "  WITH (connector = 'http', event_time = 'at', partitions = 1);\n"
      "CREATE MATERIALIZED VIEW counts AS SELECT url, count(who) AS n FROM clicks GROUP BY url;\n");
  ASSERT_TRUE(Post(R"({"url":"/0","who":"me","at":"2026-01-01T00:00:01Z"})"));
  PostClicks(2);
  EXPECT_THAT(RowsOf("counts"), HasSubstr(R"([{"url":"/0","n":4},{"url":"/1","n":3}])"));
  Replace();
  EXPECT_THAT(RowsOf("counts"), HasSubstr(R"([{"url":"/0","n":1},{"url":"/1","n":0}])"));
}

TEST_F(ViewReplacementTest, WhatCannotGoOnIsBuiltInPlace) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(4);
  // The view of now reads a column that is gone.
  StartAgain(
      "CREATE TABLE clicks (price bigint, at timestamptz NOT NULL)\n"
      "  WITH (connector = 'http', event_time = 'at', partitions = 1);\n"
      "CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM clicks;\n");
  EXPECT_TRUE(platform_->views()->next.empty());
  EXPECT_THAT(RowsOf("counts"), HasSubstr(R"([{"n":4}])"));
}

TEST_F(ViewReplacementTest, ANewReaderReadsWhatIsToCome) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(7);
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_FALSE(platform_->views()->next.contains("total"));
  position_.clear();
  EXPECT_THAT(RowsOf("total"), HasSubstr("is being built"));
  // Also over a restart.
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_FALSE(platform_->views()->next.contains("total"));
  PostClicks(1);
  Replace();
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":21}])"));
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  EXPECT_TRUE(platform_->views()->next.empty());
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":21}])"));
}

TEST_F(ViewReplacementTest, DescribesBoth) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(2);
  StartAgain(Sql({kClicks, kSums,
                  "CREATE VIEW doubled AS SELECT 2 * s AS d FROM counts;\n"
                  "CREATE VIEW urls AS SELECT url FROM counts;\n"}));
  Answer<std::string> answer;
  queries_->ListViews(answer.Taker());
  const auto views = answer.Get();
  ASSERT_TRUE(views);
  EXPECT_THAT(*views, HasSubstr(R"("rebuild":{"progress":)"));
  EXPECT_THAT(*views, HasSubstr("count(*)"));
  EXPECT_THAT(*views, HasSubstr("sum(price)"));
  EXPECT_THAT(Answered("SELECT d FROM doubled"), HasSubstr("gets by its rebuild"));
  EXPECT_THAT(Answered("SELECT count(*) AS n FROM urls"), HasSubstr(R"([{"n":2}])"));
  EXPECT_THAT(Answered("SELECT s FROM counts"), HasSubstr("column does not exist"));
  Replace();
  EXPECT_THAT(Answered("SELECT sum(d)::bigint AS d FROM doubled"), HasSubstr(R"([{"d":2}])"));
}

TEST_F(ViewReplacementTest, FeedsEndWithThePlaceToGoOnFrom) {
  Start(Sql({kClicks, kCounts}));
  PostClicks(2);
  StartAgain(Sql({kClicks, kSums}));
  auto feed = OpenFeed({.kind = serve::FeedKind::kView, .name = "counts", .with_snapshot = true});
  ASSERT_TRUE(feed);
  const std::string begin = ReadUntil(**feed, "event: progress");
  EXPECT_THAT(begin, HasSubstr(R"("n":1)"));
  const std::string position = begin.substr(begin.rfind("id: ") + 4);
  Replace();
  const std::string end = ReadUntil(**feed, "event: rebuilt");
  EXPECT_THAT(end, Not(HasSubstr(R"("s":)")));
  EXPECT_TRUE((*feed)->Next(SIZE_MAX).is_end);
  // Who did not see it is told on coming back, also after a restart.
  const std::string from = position.substr(0, position.find('\n'));
  StartAgain(Sql({kClicks, kSums}));
  auto again = OpenFeed({.kind = serve::FeedKind::kView, .name = "counts", .from = from});
  ASSERT_TRUE(again);
  const std::string told = ReadUntil(**again, R"("url":"/1","s":1)");
  EXPECT_TRUE(told.starts_with("event: rebuilt\nid: ")) << told;
  EXPECT_THAT(told, Not(HasSubstr(R"("n":)")));
  const auto records = Records({.stream = "counts", .from = from});
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().code(), ErrorCode::kOffsetOutOfRange);
}

TEST_F(ViewReplacementTest, WhoWaitsForAPositionGetsTheNextViewsRows) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"n":7}])"));
  StartAgain(Sql({kClicks, kSums, kTotalOfSums}));
  const StreamId clicks = platform_->transport().FindStream("clicks")->id;
  const auto end = platform_->transport().Describe(clicks, PartitionId(0)).durable_end;
  const std::string next_click = fmt::format("clicks/0:{}", end + 1);
  Answer<std::string> rows;
  queries_->QueryView({.view = "total", .wait_for = next_click, .timeout = std::chrono::minutes(1)},
                      rows.Taker());
  Answer<std::string> answer;
  sql_->Query({.sql = "SELECT * FROM total", .wait_for = next_click}, answer.Taker());
  Replace();
  const auto posted = Post(R"({"url":"/1","price":100,"at":"2026-01-01T00:00:01Z"})");
  ASSERT_TRUE(posted) << posted.error().ToString();
  for (Answer<std::string>* const each : {&rows, &answer}) {
    const auto text = each->Get();
    ASSERT_TRUE(text) << text.error().ToString();
    EXPECT_THAT(*text, HasSubstr(R"([{"s":121}])"));
  }
}

TEST_F(ViewReplacementTest, ASinkWaitsForTheNextView) {
  const std::string_view sink =
      "CREATE TABLE out (url text, s bigint) WITH (connector = 'blackhole');\n"
      "INSERT INTO out SELECT * FROM counts;\n";
  Start(Sql({kClicks, kCounts}));
  PostClicks(2);
  StartAgain(Sql({kClicks, kSums, sink}));
  EXPECT_EQ(platform_->sinks().at("out").thread, nullptr);
  EXPECT_TRUE(platform_->transport().ReaderPositions("sink:out").empty());
  Replace();
  ASSERT_NE(platform_->sinks().at("out").thread, nullptr);
  const auto stream = platform_->transport().FindStream("counts")->id;
  Transport::Positions read;
  while (read.empty()) {
    read = platform_->transport().ReaderPositions("sink:out");
    Answer<std::string>().WaitBriefly();
  }
  EXPECT_EQ(read.begin()->first.first, stream);
}

TEST_F(ViewReplacementTest, HappensByItself) {
  Start(Sql({kClicks, kCounts, kTotal}));
  PostClicks(7);
  replaces_ = true;
  Stop();
  Start(Sql({kClicks, kSums, kTotalOfSums}));
  while (!platform_->views()->next.empty()) {
    Answer<std::string>().WaitBriefly();
  }
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"([{"s":21}])"));
}

}  // namespace
}  // namespace millrace
