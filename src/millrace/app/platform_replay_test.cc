// Replays over a whole platform.

#include "millrace/app/platform_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_testing.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kStrict = R"(
CREATE TABLE clicks (n bigint NOT NULL)
  WITH (connector = 'http', partitions = 1, undeclared_fields = 'error'))";
constexpr std::string_view kRepaired = R"(
CREATE TABLE clicks (n bigint NOT NULL) WITH (connector = 'http', partitions = 1))";

class PlatformReplayTest : public PlatformFixture {
 protected:
  Result<std::string> Replay(std::string stream) {
    Answer<std::string> answer;
    PlatformReplay replay(*platform_, ReplayMetrics(registry_));
    replay.Replay(std::move(stream), answer.Taker());
    return answer.Get();
  }

  void Write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(files_.CreateDirectories("/in"));
    const auto file = files_.Open(path, OpenMode::kCreate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->WriteAt(0, std::as_bytes(std::span(text))));
  }

  /// Whether the view `total` comes to have `row`.
  bool WaitFor(std::string_view row) {
    for (int i = 0; i < 1000; ++i) {
      const auto answer = Query({.view = "total"});
      if (answer && answer->contains(row)) {
        return true;
      }
      platform_->views()->Find("total")->Wake();
      clock_.Advance(std::chrono::milliseconds(100));
      Answer<int>().WaitBriefly();
    }
    return false;
  }

  MetricsRegistry registry_;
};

TEST_F(PlatformReplayTest, FeedsBackWhatARepairedTableTakes) {
  Start(kStrict);
  const auto posted = Post("{\"n\":1}\n{\"n\":2,\"x\":5}\n{\"x\":7}\n");
  ASSERT_TRUE(posted) << posted.error().ToString();
  ASSERT_EQ(posted->errors_count, 2U);
  Stop();
  Start(kRepaired);
  EXPECT_EQ(Replay("clicks").value_or("failed"),
            R"({"accepted":1,"rejected":1,"skipped":0,"position":"0:3"})");
  EXPECT_EQ(Replay("clicks").value_or("failed"),
            R"({"accepted":0,"rejected":1,"skipped":0,"position":""})");
  const std::string metrics = registry_.Render();
  EXPECT_THAT(metrics, HasSubstr("millrace_replay_accepted_records_total 1\n"));
  EXPECT_THAT(metrics, HasSubstr("millrace_replay_refused_records_total 2\n"));
  EXPECT_THAT(metrics, HasSubstr("millrace_replay_in_flight 0\n"));
}

TEST_F(PlatformReplayTest, FeedsBackWhatASourceHasRead) {
  Write("/in/a.json", "{\"n\":1}\n{\"n\":2,\"x\":5}\n");
  const auto project = [](std::string_view undeclared) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL) WITH (connector = 'file', path = '/in/*',"
        "  partitions = 1, mode = 'follow', undeclared_fields = '{}');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks",
        undeclared);
  };
  Start(project("error"));
  ASSERT_TRUE(WaitFor(R"("total":1,)"));
  Stop();
  Start(project("ignore"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":1,"rejected":0)"));
  EXPECT_TRUE(WaitFor(R"("total":3,"n":2)"));
}

TEST_F(PlatformReplayTest, FeedsBackRecordsOfCsvFilesByTheirHeaders) {
  Write("/in/a.csv", "n,name\n1,one\n2,\"t\nwo\"\n3,x\n4\n5,\"fi\"\"ve\"\n");
  Write("/in/b.csv", "\xEF\xBB\xBFname,n\r\nsix,6\r\nx,7\r\n");
  const auto project = [](std::string_view name) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL, name text NOT NULL,"
        "  size bigint NOT NULL GENERATED ALWAYS AS (length({})) STORED)"
        "  WITH (connector = 'file', path = '/in/*', partitions = 1, mode = 'follow',"
        "        format = 'csv');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n,"
        "  sum(size) AS sizes FROM clicks",
        name);
  };
  Start(project("nullif(nullif(name, 'x'), E't\nwo')"));
  ASSERT_TRUE(WaitFor(R"("total":12,"n":3)"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":0,"rejected":4)"));
  Stop();
  Start(project("name"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":3,"rejected":1)"));
  EXPECT_TRUE(WaitFor(R"("total":24,"n":6,"sizes":17)"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":0,"rejected":1)"));
}

TEST_F(PlatformReplayTest, ReadsEachCsvRecordForItself) {
  // The first one's quoted field takes the next ones for its own, when they come side by side.
  Write("/in/a.csv", "n\n\"1\nx\n2\n");
  Start(
      "CREATE TABLE clicks (n bigint) WITH (connector = 'file', path = '/in/*', partitions = 1,"
      "  mode = 'follow', format = 'csv', quote = '');"
      "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks");
  ASSERT_TRUE(WaitFor(R"("total":2,"n":1)"));
  Stop();
  Start(
      "CREATE TABLE clicks (n bigint) WITH (connector = 'file', path = '/in/*', partitions = 1,"
      "  mode = 'follow', format = 'csv', null_text = 'x');"
      "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks");
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":1,"rejected":1)"));
  EXPECT_TRUE(WaitFor(R"("total":2,"n":2)"));
}

TEST_F(PlatformReplayTest, FeedsBackCsvRecordsOnceTheyHaveNoHeader) {
  Write("/in/a.csv", "1,one\n2,two\n3,\"th\nree\"\n");
  const auto project = [](std::string_view header) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL, name text) WITH (connector = 'file',"
        "  path = '/in/*', partitions = 1, mode = 'follow', format = 'csv', header = '{}');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks",
        header);
  };
  Start(project("true"));
  while (!Records({.stream = "errors$clicks", .from = ""}).value_or("").contains("\"offset\":1")) {
    clock_.Advance(std::chrono::milliseconds(100));
    Answer<int>().WaitBriefly();
  }
  Stop();
  Start(project("false"));
  // The first one was the header of the others, and is no error row.
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":2,"rejected":0)"));
  EXPECT_TRUE(WaitFor(R"("total":5,"n":2)"));
}

TEST_F(PlatformReplayTest, AChangedViewOfATableThatIsNotStoredReadsItsErrorsAnewToo) {
  Write("/in/a.json", "{\"n\":1}\n{\"n\":2,\"x\":5}\n{\"n\":4,\"x\":5}\n");
  const auto project = [](std::string_view undeclared, std::string_view count) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL) WITH (connector = 'file', path = '/in/*',"
        "  partitions = 1, mode = 'follow', storage = 'direct', undeclared_fields = '{}');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, {} AS n FROM clicks",
        undeclared, count);
  };
  Start(project("error", "count(*)"));
  ASSERT_TRUE(WaitFor(R"("total":1,)"));
  Stop();
  Start(project("error", "count(n)"));
  ASSERT_TRUE(WaitFor(R"("total":1,)"));
  Stop();
  Start(project("ignore", "count(n)"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":2,"rejected":0)"));
  EXPECT_TRUE(WaitFor(R"("total":7,"n":3)"));
}

TEST_F(PlatformReplayTest, FeedsBackLinesThatAPatternTakesApart) {
  Write("/in/a.log", "n=1\nn=x\nno=3\n");
  const auto project = [](std::string_view pattern) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL) WITH (connector = 'file', path = '/in/*',"
        "  partitions = 1, mode = 'follow', format = 'regex', pattern = '{}');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks",
        pattern);
  };
  Start(project("n=(?P<n>.*)"));
  ASSERT_TRUE(WaitFor(R"("total":1,"n":1)"));
  Stop();
  Start(project("no?=(?P<n>.*)"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":1,"rejected":1)"));
  EXPECT_TRUE(WaitFor(R"("total":4,"n":2)"));
}

TEST_F(PlatformReplayTest, FeedsBackIntoATableThatIsNotStored) {
  Write("/in/a.json", "{\"n\":1}\n{\"n\":2,\"x\":5}\n{\"n\":4,\"x\":5}\n");
  const auto project = [](std::string_view undeclared) {
    return fmt::format(
        "CREATE TABLE clicks (n bigint NOT NULL) WITH (connector = 'file', path = '/in/*',"
        "  partitions = 2, mode = 'follow', storage = 'direct', undeclared_fields = '{}');"
        "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks",
        undeclared);
  };
  Start(project("error"));
  ASSERT_TRUE(WaitFor(R"("total":1,)"));
  Stop();
  Start(project("ignore"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":2,"rejected":0)"));
  EXPECT_TRUE(WaitFor(R"("total":7,"n":3)"));
  Stop();
  Start(project("ignore"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":0,"rejected":0)"));
  EXPECT_TRUE(WaitFor(R"("total":7,"n":3)"));
}

TEST_F(PlatformReplayTest, RefusesWhatIsNoTable) {
  Start(R"(CREATE TABLE clicks (n bigint) WITH (connector = 'http');
           CREATE MATERIALIZED VIEW v AS SELECT n FROM clicks)");
  EXPECT_EQ(Replay("errors$clicks").error().code(), ErrorCode::kStreamNotFound);
  EXPECT_THAT(Replay("v").error().ToString(), HasSubstr("it is a view"));
}

}  // namespace
}  // namespace millrace
