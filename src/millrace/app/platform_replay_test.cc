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

TEST_F(PlatformReplayTest, RefusesWhatItCannotFeedBack) {
  Start(R"(CREATE TABLE t (n bigint) WITH (connector = 'datagen', rows = 1);
           CREATE TABLE clicks (n bigint) WITH (connector = 'http'))");
  EXPECT_EQ(Replay("errors$clicks").error().code(), ErrorCode::kStreamNotFound);
  EXPECT_EQ(Replay("t").error().code(), ErrorCode::kNotImplemented);
}

}  // namespace
}  // namespace millrace
