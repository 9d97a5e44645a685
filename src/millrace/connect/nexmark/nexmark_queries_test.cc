#include "millrace/connect/nexmark/nexmark_queries.h"

#include <gtest/gtest.h>

namespace millrace::nexmark {
namespace {

TEST(NexmarkQueries, AreThoseOfTheFiles) {
  std::string names;
  for (const Query& query : Queries()) {
    names += std::string(query.name) + " ";
    EXPECT_NE(query.sql.find("CREATE MATERIALIZED VIEW " + std::string(query.name)),
              std::string_view::npos);
  }
  EXPECT_EQ(names, "q0 q1 q2 q3 q5 q7 q8 ");
}

TEST(NexmarkQueries, DeclareOnlyWhatTheyName) {
  const Query query{.name = "q", .sql = "CREATE MATERIALIZED VIEW q AS SELECT price FROM bid;"};
  EXPECT_EQ(ProjectSql(query, {.file = {}, .events = {.events = 7}}),
            "CREATE TABLE events (event_type integer, date_time timestamptz, bid_price bigint)\n"
            "  WITH (connector = 'nexmark', events = 7, event_rate = 10000, base_time = "
            "'2015-07-15T00:00:00Z', out_of_order_group = 1, seed = 1, shifted_bidders = false, "
            "event_time = 'date_time', watermark_delay = '4 seconds');\n"
            "CREATE VIEW person AS SELECT date_time FROM events WHERE event_type = 0;\n"
            "CREATE VIEW auction AS SELECT date_time FROM events WHERE event_type = 1;\n"
            "CREATE VIEW bid AS SELECT date_time, bid_price AS price FROM events WHERE "
            "event_type = 2;\n"
            "CREATE MATERIALIZED VIEW q AS SELECT price FROM bid;");
  const std::string sql = ProjectSql(query, {.file = "it's.ndjson", .events = {}});
  EXPECT_NE(sql.find("path = 'it''s.ndjson'"), std::string::npos);
  EXPECT_NE(sql.find("bid_price.from = 'bid.price'"), std::string::npos);
}

}  // namespace
}  // namespace millrace::nexmark
