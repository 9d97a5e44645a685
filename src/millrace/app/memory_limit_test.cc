// A view whose state would pass engine.memory_limit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/app/platform_status.h"
#include "millrace/app/platform_testing.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSql =
    "CREATE TABLE clicks (url text, price bigint) WITH (connector = 'http', partitions = 1);\n"
    "CREATE MATERIALIZED VIEW per_url AS SELECT url, count(*) AS n FROM clicks GROUP BY url;\n"
    "CREATE MATERIALIZED VIEW urls AS SELECT count(*) AS n FROM per_url;\n"
    "CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM clicks;\n";

class MemoryLimitTest : public PlatformFixture {
 protected:
  Platform::Options Options() override {
    Platform::Options options = PlatformFixture::Options();
    options.engine.memory_limit = memory_limit_;
    return options;
  }

  void PostUrls(int count) {
    std::string body;
    for (int i = 0; i < count; ++i) {
      body += fmt::format("{{\"url\":\"/a/page/with/a/number/{}\"}}\n", urls_++);
    }
    const auto posted = Post(body);
    ASSERT_TRUE(posted) << posted.error().ToString();
    position_ = posted->position;
  }

  Error WaitForFailure(const std::string& view) {
    Answer<int> nothing;
    while (true) {
      if (const auto failure = platform_->views()->Find(view)->failure()) {
        return *failure;
      }
      nothing.WaitBriefly();
    }
  }

  std::string RowsOf(const std::string& view) {
    const auto rows = Query({.view = view, .limit = 1, .wait_for = position_});
    return rows ? *rows : rows.error().ToString();
  }

  size_t memory_limit_ = 1 << 20;
  int urls_ = 0;
  std::string position_;
};

TEST_F(MemoryLimitTest, StopsTheViewThatWouldPassItAndNoOther) {
  Start(kSql);
  PostUrls(1000);
  EXPECT_THAT(RowsOf("urls"), HasSubstr(R"({"n":1000})"));
  for (int i = 0; i < 20; ++i) {
    PostUrls(1000);
  }
  const Error failure = WaitForFailure("per_url");
  EXPECT_EQ(failure.code(), ErrorCode::kMemoryLimit);
  EXPECT_THAT(failure.ToString(), HasSubstr("engine.memory_limit, 1 MiB"));
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"({"n":21000})"));
  EXPECT_FALSE(platform_->views()->Find("total")->failure());
  EXPECT_EQ(platform_->views()->Find("per_url")->runner().stats().state_bytes, 0);
  // Its rows are there as of its last commit.
  const auto rows = Query({.view = "per_url", .limit = 1});
  EXPECT_TRUE(rows) << rows.error().ToString();
  MetricsRegistry metrics;
  EXPECT_THAT(PlatformStatus(*platform_, metrics).Health().json,
              HasSubstr(R"("per_url":"failed","total":"running")"));
}

TEST_F(MemoryLimitTest, GoesOnFromItsLastCommitOnceThereIsMore) {
  Start(kSql);
  for (int i = 0; i < 20; ++i) {
    PostUrls(1000);
  }
  EXPECT_EQ(WaitForFailure("per_url").code(), ErrorCode::kMemoryLimit);
  Stop();
  Start(kSql);
  EXPECT_EQ(WaitForFailure("per_url").code(), ErrorCode::kMemoryLimit);
  PostUrls(1000);
  EXPECT_THAT(RowsOf("total"), HasSubstr(R"({"n":21000})"));
  Stop();
  memory_limit_ = 64 << 20;
  Start(kSql);
  EXPECT_THAT(RowsOf("urls"), HasSubstr(R"({"n":21000})"));
}

}  // namespace
}  // namespace millrace
