#include "millrace/app/view_positions.h"

#include <gmock/gmock.h>

#include "millrace/app/platform_testing.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSql = R"sql(
CREATE TABLE clicks (url text NOT NULL, n bigint) WITH (connector = 'http', partitions = 2);
CREATE TABLE pages (url text NOT NULL, title text) WITH (connector = 'http', partitions = 1);
CREATE MATERIALIZED VIEW counts AS SELECT url, count(*) AS n FROM clicks GROUP BY url;
CREATE MATERIALIZED VIEW hot AS SELECT url FROM counts WHERE n > 1;
CREATE MATERIALIZED VIEW titled AS
  SELECT p.title, c.n FROM clicks c JOIN pages p ON c.url = p.url;
CREATE MATERIALIZED VIEW titled_counts AS
  SELECT p.title, c.n FROM counts c JOIN pages p ON c.url = p.url;
)sql";

class ViewPositionsTest : public PlatformFixture {
 protected:
  void SetUp() override { Start(kSql); }

  std::string Clicks(int count) {
    std::string position;
    for (int i = 0; i < count; ++i) {
      const auto posted = Post(R"({"url":"/a","n":1})");
      EXPECT_TRUE(posted);
      position = posted->position;
    }
    return position;
  }
  ErrorCode CodeOf(const std::string& view, const std::string& wait_for) {
    const auto answer = Query({.view = view, .wait_for = wait_for, .timeout = {}});
    return answer ? ErrorCode::kInternal : answer.error().code();
  }
};

TEST_F(ViewPositionsTest, AViewOfAViewIsWaitedForWithAPositionOfTheTable) {
  for (int round = 1; round <= 20; ++round) {
    const auto posted = Post(fmt::format(R"({{"url":"/{0}"}}
{{"url":"/{0}"}})",
                                         round));
    ASSERT_TRUE(posted);
    const auto hot =
        Query({.view = "hot",
               .filters = {{"url", serve::FilterOperator::kEqual, fmt::format("/{}", round)}},
               .wait_for = posted->position});
    ASSERT_TRUE(hot) << hot.error().ToString();
    EXPECT_THAT(*hot, HasSubstr(fmt::format(R"("rows":[{{"url":"/{}"}}])", round)));
    EXPECT_THAT(*hot, HasSubstr(R"("position":"counts@)"));
  }
  ASSERT_TRUE(Query({.view = "hot", .wait_for = "clicks/0:1"}));
}

TEST_F(ViewPositionsTest, AJoinHasAPositionInEachStream) {
  const std::string clicks = Clicks(3);
  const auto page = Post(R"({"url":"/a","title":"A"})", {}, "pages");
  ASSERT_TRUE(page);
  const std::string both = "clicks/" + clicks + ";pages/" + page->position;
  const auto titled = Query({.view = "titled", .wait_for = both});
  ASSERT_TRUE(titled) << titled.error().ToString();
  EXPECT_THAT(*titled, HasSubstr(R"({"title":"A","n":1},{"title":"A","n":1},{"title":"A","n":1})"));
  EXPECT_THAT(*titled, HasSubstr(R"("position":"clicks/0:)"));
  EXPECT_THAT(*titled, HasSubstr(";pages/0:"));
  // What it gives it takes.
  const std::string text = titled->substr(titled->find("\"position\":\"") + 12);
  EXPECT_TRUE(Query({.view = "titled", .wait_for = text.substr(0, text.find('"'))}));

  const auto counted = Query({.view = "titled_counts", .wait_for = both});
  ASSERT_TRUE(counted);
  EXPECT_THAT(*counted, HasSubstr(R"("rows":[{"title":"A","n":3}])"));
}

TEST_F(ViewPositionsTest, RefusesPositionsThatDoNotSayWhatTheyAreOf) {
  Clicks(1);
  for (const char* position : {"0:1", "missing/0:1", "x", "clicks/0:1;clicks/0:2"}) {
    EXPECT_EQ(CodeOf("titled", position), ErrorCode::kHttpBadRequest) << position;
  }
  EXPECT_EQ(CodeOf("counts", "pages/0:1"), ErrorCode::kHttpBadRequest);
  EXPECT_EQ(CodeOf("titled", "clicks/0:1000;pages/0:0"), ErrorCode::kPositionNotReached);
  EXPECT_EQ(CodeOf("hot", "0:1000"), ErrorCode::kPositionNotReached);
}

}  // namespace
}  // namespace millrace
