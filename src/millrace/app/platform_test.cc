// A whole platform over the simulated file system, asked through the interfaces that the HTTP
// routes use.

#include "millrace/app/platform.h"

#include <algorithm>
#include <list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_testing.h"
#include "millrace/base/rng.h"

namespace millrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kSql = R"sql(
CREATE TABLE clicks (url text NOT NULL, price bigint, at timestamptz NOT NULL)
  WITH (connector = 'http', format = 'json', event_time = 'at', watermark_delay = '10 seconds',
        partitions = 1);
CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;
CREATE MATERIALIZED VIEW dear AS SELECT url, price FROM clicks WHERE price > 10;
)sql";

std::string Incompressible(size_t size) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Rng rng(1);
  std::string text(size, ' ');
  std::ranges::generate(text, [&] { return kLetters[rng.Below(kLetters.size())]; });
  return text;
}

class PlatformTest : public PlatformFixture {
 protected:
  void SetUp() override { Start(kSql); }
};

constexpr std::string_view kClick = R"({"url":"/a","price":20,"at":"2026-01-01T00:00:01Z"})";

TEST_F(PlatformTest, AnswersWithPositionsThatQueriesCanWaitFor) {
  const auto posted = Post(R"({"url":"/a","at":"2026-01-01T00:00:01Z"}
{"url":"/b","price":11,"at":"2026-01-01T00:00:02Z"}
nonsense
{"url":"/a","price":12,"at":"2026-01-01T00:00:03Z"})");
  ASSERT_TRUE(posted) << posted.error().ToString();
  EXPECT_EQ(posted->accepted, 3U);
  EXPECT_EQ(posted->errors_count, 1U);
  ASSERT_EQ(posted->errors.size(), 1U);
  EXPECT_EQ(posted->errors[0].index, 2U);
  EXPECT_EQ(posted->errors[0].code, ErrorCode::kRecordSyntax);
  const auto counts =
      Query({.view = "counts", .order = {{"n", true}}, .wait_for = posted->position});
  ASSERT_TRUE(counts);
  EXPECT_THAT(*counts, HasSubstr(R"("rows":[{"url":"/a","n":2},{"url":"/b","n":1}])"));
  EXPECT_THAT(*counts, HasSubstr("\"position\":\"" + posted->position + "\""));
  // A view that keeps no rows of its own.
  const auto dear = Query({.view = "dear", .limit = 1, .wait_for = posted->position});
  ASSERT_TRUE(dear);
  EXPECT_THAT(*dear, HasSubstr(R"("rows":[{"url":"/a","price":12}],"next_cursor":")"));
}

TEST_F(PlatformTest, TakesARequestWithAKeyOnceAlsoOverARestart) {
  const auto first = Post(kClick, "key 1");
  ASSERT_TRUE(first);
  const auto again = Post(kClick, "key 1");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->accepted, 1U);
  EXPECT_EQ(again->position, first->position);
  Stop();
  files_.Crash();
  files_.Restart();
  Start(kSql);
  const auto after = Post(kClick, "key 1");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->accepted, 1U);
  const auto counts = Query({.view = "counts", .wait_for = first->position});
  ASSERT_TRUE(counts);
  EXPECT_THAT(*counts, HasSubstr(R"("rows":[{"url":"/a","n":1}])"));
  const auto other = Post("{}", "key 1");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::kIdempotencyKeyReused);
}

TEST_F(PlatformTest, NamesWhatIsNotThere) {
  EXPECT_EQ(Post(kClick, {}, "missing").error().code(), ErrorCode::kStreamNotFound);
  EXPECT_EQ(Post(kClick, {}, "counts").error().code(), ErrorCode::kStreamNotFound);
  EXPECT_EQ(Query({.view = "missing"}).error().code(), ErrorCode::kSqlUnknownRelation);
  EXPECT_EQ(Query({.view = "clicks"}).error().code(), ErrorCode::kSqlUnknownRelation);
  EXPECT_EQ(Query({.view = "counts", .order = {{"x", false}}}).error().code(),
            ErrorCode::kSqlUnknownColumn);
  EXPECT_EQ(Records({.stream = "missing", .from = ""}).error().code(), ErrorCode::kStreamNotFound);
  EXPECT_EQ(Records({.stream = "state$counts", .from = ""}).error().code(),
            ErrorCode::kStreamNotFound);
  EXPECT_EQ(Records({.stream = "clicks", .from = "0.0"}).error().code(),
            ErrorCode::kHttpBadRequest);
  for (const char* position : {"x", "0", "0:", ":1", "0:1,", "0:-1", "0:1;1:1"}) {
    EXPECT_EQ(Query({.view = "counts", .wait_for = position}).error().code(),
              ErrorCode::kHttpBadRequest)
        << position;
  }
}

TEST_F(PlatformTest, GivesUpAWaitAtItsDeadline) {
  Answer<std::string> answer;
  queries_->QueryView({.view = "counts", .wait_for = "0:1000", .timeout = std::chrono::seconds(3)},
                      answer.Taker());
  clock_.Advance(std::chrono::seconds(4));
  const auto result = answer.Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kPositionNotReached);
}

TEST_F(PlatformTest, AnswersWaitingQueriesWhenItStops) {
  Answer<std::string> answer;
  queries_->QueryView({.view = "counts", .wait_for = "0:1000"}, answer.Taker());
  Stop();
  const auto result = answer.Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kUnavailable);
}

TEST_F(PlatformTest, ReadsRecordsInPages) {
  ASSERT_TRUE(
      Post("{\"url\":\"/a\",\"at\":\"2026-01-01T00:00:01Z\"}\n"
           "{\"url\":\"/b\",\"at\":\"2026-01-01T00:00:01Z\"}\n"
           "{\"url\":\"/c\",\"at\":\"2026-01-01T00:00:01Z\"}\n"));
  std::string from;
  std::string urls;
  for (int i = 0; i < 3; ++i) {
    const auto page = Records({.stream = "clicks", .from = from, .limit = 1});
    ASSERT_TRUE(page);
    urls += page->substr(page->find("\"url\":\"") + 7, 2);
    const size_t next = page->find("\"next\":\"") + 8;
    from = page->substr(next, page->find('"', next) - next);
  }
  EXPECT_EQ(urls, "/a/b/c");
  const auto end = Records({.stream = "clicks", .from = from, .limit = 1});
  EXPECT_THAT(*end, HasSubstr("\"records\":[]"));
}

TEST_F(PlatformTest, DescribesStreamsAndViews) {
  Answer<std::string> streams;
  queries_->ListStreams(streams.Taker());
  const auto listed = streams.Get();
  for (const char* name : {"clicks", "errors$clicks", "counts", "state$counts", "idempotency$"}) {
    EXPECT_THAT(*listed, HasSubstr(fmt::format("\"name\":\"{}\"", name)));
  }
  Answer<std::string> described;
  queries_->DescribeStream("clicks", described.Taker());
  EXPECT_THAT(*described.Get(), HasSubstr(R"({"name":"price","type":"bigint","nullable":true})"));
  Answer<std::string> missing;
  queries_->DescribeStream("missing", missing.Taker());
  EXPECT_EQ(missing.Get().error().code(), ErrorCode::kStreamNotFound);
  Answer<std::string> views;
  queries_->ListViews(views.Taker());
  EXPECT_THAT(*views.Get(),
              HasSubstr(R"("name":"counts","source":"clicks","emit":"changes","state":"running")"));
}

TEST_F(PlatformTest, FeedsASnapshotAndThenEachChange) {
  const auto posted = Post(kClick);
  ASSERT_TRUE(Query({.view = "counts", .wait_for = posted->position}));
  auto feed = OpenFeed(
      {.kind = serve::FeedKind::kView, .name = "counts", .from = "", .with_snapshot = true});
  ASSERT_TRUE(feed);
  ASSERT_TRUE(Post(kClick));
  const std::string text = ReadUntil(**feed, R"({"weight":1,"row":{"url":"/a","n":2}})");
  EXPECT_THAT(text,
              HasSubstr("event: snapshot\ndata: {\"weight\":1,\"row\":{\"url\":\"/a\",\"n\":1}}"));
  const uint32_t stream = platform_->transport().FindStream("counts")->id.value();
  EXPECT_THAT(text, HasSubstr(fmt::format("event: progress\nid: {}:1\n", stream)));
  EXPECT_THAT(text, HasSubstr(fmt::format("id: {}:2\ndata: {{\"weight\":-1,\"row\":{{\"url\":"
                                          "\"/a\",\"n\":1}}}}",
                                          stream)));
  for (const std::string& from : {fmt::format("{}:2", stream), std::string("2")}) {
    auto resumed = OpenFeed({.kind = serve::FeedKind::kView, .name = "counts", .from = from});
    ASSERT_TRUE(resumed);
    EXPECT_EQ(ReadUntil(**resumed, "\"n\":2}}"),
              fmt::format("event: change\nid: {}:3\ndata: {{\"weight\":1,\"row\":{{\"url\":\"/a\","
                          "\"n\":2}}}}\n\n",
                          stream));
  }
}

TEST_F(PlatformTest, ARowOfSelectDistinctIsThereOnce) {
  Stop();
  Start(
      "CREATE TABLE hits (url text, at timestamptz) WITH (partitions = 1);"
      "CREATE MATERIALIZED VIEW urls AS SELECT DISTINCT url FROM hits;"
      "CREATE MATERIALIZED VIEW pairs AS SELECT url, at FROM hits GROUP BY url, at;"
      "CREATE MATERIALIZED VIEW united AS SELECT url FROM hits UNION SELECT url FROM hits;");
  std::string position;
  for (int i = 0; i < 3; ++i) {
    const auto posted = Post(kClick, {}, "hits");
    ASSERT_TRUE(posted);
    position = posted->position;
    for (const char* view : {"urls", "pairs", "united"}) {
      const auto rows = Query({.view = view, .wait_for = position});
      ASSERT_TRUE(rows) << rows.error().ToString();
      EXPECT_EQ(rows->find("/a"), rows->rfind("/a")) << view << ": " << *rows;
    }
  }
  const auto records = Records({.stream = "urls", .from = ""});
  ASSERT_TRUE(records);
  EXPECT_EQ(records->find("weight"), records->rfind("weight")) << *records;
}

TEST_F(PlatformTest, FeedsNewRecordsOfAStreamOnly) {
  ASSERT_TRUE(Post(kClick));
  auto feed = OpenFeed({.kind = serve::FeedKind::kStream, .name = "clicks", .from = ""});
  ASSERT_TRUE(feed);
  ASSERT_TRUE(Post(R"({"url":"/b","at":"2026-01-01T00:00:01Z"})"));
  EXPECT_THAT(ReadUntil(**feed, "/b"), ::testing::Not(HasSubstr("/a")));
}

TEST_F(PlatformTest, FeedsWithoutAPositionSayFirstWhereTheyBegin) {
  ASSERT_TRUE(Post(kClick));
  auto feed = OpenFeed({.kind = serve::FeedKind::kStream, .name = "clicks", .from = ""});
  ASSERT_TRUE(feed);
  const std::string begin = ReadUntil(**feed, "\n\n");
  EXPECT_TRUE(begin.starts_with("event: progress\nid: ")) << begin;
  const std::string id = begin.substr(20, begin.find('\n', 20) - 20);
  feed->reset();
  // What comes while the client is away is there when it comes back.
  ASSERT_TRUE(Post(R"({"url":"/b","at":"2026-01-01T00:00:01Z"})"));
  auto resumed = OpenFeed({.kind = serve::FeedKind::kStream, .name = "clicks", .from = id});
  ASSERT_TRUE(resumed);
  const std::string text = ReadUntil(**resumed, "/b");
  EXPECT_TRUE(text.starts_with("event: change\n")) << text;
  EXPECT_THAT(text, ::testing::Not(HasSubstr("/a")));
}

TEST_F(PlatformTest, RefusesFeedsThatCannotBe) {
  using serve::FeedKind;
  const auto code = [&](const serve::FeedRequest& request) {
    return OpenFeed(request).error().code();
  };
  EXPECT_EQ(code({.kind = FeedKind::kStream, .name = "missing", .from = ""}),
            ErrorCode::kStreamNotFound);
  EXPECT_EQ(code({.kind = FeedKind::kStream, .name = "state$counts", .from = ""}),
            ErrorCode::kStreamNotFound);
  EXPECT_EQ(code({.kind = FeedKind::kView, .name = "clicks", .from = ""}),
            ErrorCode::kSqlUnknownRelation);
  EXPECT_EQ(code({.kind = FeedKind::kStream, .name = "clicks", .from = "x"}),
            ErrorCode::kHttpBadRequest);
  EXPECT_EQ(code({.kind = FeedKind::kStream, .name = "clicks", .from = "1000"}),
            ErrorCode::kHttpBadRequest);
  EXPECT_EQ(code({.kind = FeedKind::kStream, .name = "clicks", .from = "", .with_snapshot = true}),
            ErrorCode::kHttpBadRequest);
}

TEST_F(PlatformTest, SurvivesAFullDisk) {
  ASSERT_TRUE(Post(kClick));
  files_.SetCapacity(0);
  // The journal file in use has room left; once that is full too, requests are refused.
  const std::string click =
      fmt::format(R"({{"url":"{}","at":"2026-01-01T00:00:01Z"}})", Incompressible(100'000));
  std::list<Answer<serve::IngestAnswer>> answers;
  while (!platform_->transport().disk_full()) {
    ingest_->Submit({.stream = "clicks",
                     .body = serve::RequestBody::Copy(click),
                     .format = serve::BodyFormat::kNdjson,
                     .idempotency_key = {},
                     .token = ""},
                    answers.emplace_back().Taker());
    answers.back().WaitBriefly();
  }
  const auto refused = Post(kClick);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kDiskFull);
  EXPECT_TRUE(Query({.view = "counts", .limit = 1}));
  files_.SetCapacity(uint64_t{1} << 40);
  int accepted = 0;
  for (auto& answer : answers) {
    const auto taken = answer.Get();
    // The disk may have become full between the look at it and the request.
    const bool is_last = &answer == &answers.back();
    EXPECT_TRUE(taken || (is_last && taken.error().code() == ErrorCode::kDiskFull))
        << taken.error().ToString();
    accepted += taken ? 1 : 0;
  }
  // The round that waits may be one of the view alone, which nobody here waits for.
  auto posted = Post(kClick);
  while (!posted && posted.error().code() == ErrorCode::kDiskFull) {
    posted = Post(kClick);
  }
  ASSERT_TRUE(posted) << posted.error().ToString();
  const auto rows =
      Query({.view = "counts", .order = {{"n", true}}, .limit = 1, .wait_for = posted->position});
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_THAT(*rows, HasSubstr(fmt::format(R"("n":{}}})", accepted)));
}

}  // namespace
}  // namespace millrace
