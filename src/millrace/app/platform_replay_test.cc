// Replays over a whole platform.

#include "millrace/app/platform_replay.h"

#include <cstring>

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
  ASSERT_TRUE(files_.CreateDirectories("/in"));
  const auto file = files_.Open("/in/a.json", OpenMode::kCreate);
  ASSERT_TRUE(file);
  constexpr std::string_view kLines = "{\"n\":1}\n{\"n\":2,\"x\":5}\n";
  ASSERT_TRUE((*file)->WriteAt(0, std::as_bytes(std::span(kLines))));
  const std::string table = R"(
CREATE TABLE clicks (n bigint NOT NULL)
  WITH (connector = 'file', path = '/in/*', partitions = 1, mode = 'follow',
        undeclared_fields = 'error');
CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS total, count(*) AS n FROM clicks)";
  const auto wait_for = [&](std::string_view row) {
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
  };
  Start(table);
  ASSERT_TRUE(wait_for(R"("total":1,)"));
  Stop();
  const size_t error = table.find("'error'");
  Start(std::string(table).replace(error, std::strlen("'error'"), "'ignore'"));
  EXPECT_THAT(Replay("clicks").value_or("failed"), HasSubstr(R"("accepted":1,"rejected":0)"));
  EXPECT_TRUE(wait_for(R"("total":3,"n":2)"));
}

TEST_F(PlatformReplayTest, RefusesWhatItCannotFeedBack) {
  Start(R"(CREATE TABLE t (n bigint) WITH (connector = 'file', path = '/no*', format = 'csv',
                                           mode = 'follow');
           CREATE TABLE d (n bigint) WITH (connector = 'file', path = '/no*', mode = 'follow',
                                           storage = 'direct');
           CREATE MATERIALIZED VIEW v AS SELECT n FROM d;
           CREATE TABLE clicks (n bigint) WITH (connector = 'http'))");
  EXPECT_EQ(Replay("errors$clicks").error().code(), ErrorCode::kStreamNotFound);
  EXPECT_EQ(Replay("t").error().code(), ErrorCode::kNotImplemented);
  EXPECT_EQ(Replay("d").error().code(), ErrorCode::kNotImplemented);
}

}  // namespace
}  // namespace millrace
