#include "millrace/serve/routes/routes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/serve/event_text.h"
#include "millrace/serve/http_testing.h"

namespace millrace::serve {
namespace {

using testing::HasSubstr;

class EmptySource final : public EventSource {
 public:
  explicit EmptySource(std::string from) : from_(std::move(from)) {}
  void Start(std::function<void()>) override {}
  Chunk Next(size_t) override {
    std::string bytes;
    AppendEvent(bytes, "change", from_, "{}");
    return {.bytes = std::move(bytes), .is_end = true, .gaps_count = 0};
  }

 private:
  std::string from_;
};

/// Answers at once, with what it was asked.
class EchoServices final : public IngestService,
                           public QueryService,
                           public SqlService,
                           public ReplayService,
                           public ChangeFeedService,
                           public StatusService {
 public:
  void Submit(IngestRequest request, std::function<void(Result<IngestAnswer>)> done) override {
    if (request.stream == "missing") {
      return done(Err(ErrorCode::kStreamNotFound, "no stream missing"));
    }
    last_ = fmt::format("{} {} {} {}", request.body.text(), static_cast<int>(request.format),
                        request.idempotency_key.value_or("-"), request.token);
    IngestAnswer answer{.accepted = 2,
                        .errors_count = 150,
                        .errors = {},
                        .positions = {{PartitionId(3), Offset(12)}, {PartitionId(4), Offset(7)}},
                        .position = "clicks:3@12"};
    for (uint64_t i = 0; i < 150; ++i) {
      answer.errors.push_back({i, ErrorCode::kRecordSyntax, "bad \"text\""});
    }
    done(std::move(answer));
  }

  void ListStreams(QueryService::Done done) override { done("[\"streams\"]"); }
  void DescribeStream(std::string stream, QueryService::Done done) override {
    done(std::move(stream));
  }
  void ReadRecords(RecordsQuery query, QueryService::Done done) override {
    done(fmt::format("{} {} {}", query.stream, query.from, query.limit));
  }
  void ListViews(QueryService::Done done) override { done("[\"views\"]"); }
  void QueryView(ViewQuery query, QueryService::Done done) override {
    std::string text = fmt::format("{} {} {} {} {}", query.view, query.limit, query.cursor,
                                   query.wait_for, query.timeout.count());
    for (const ViewFilter& filter : query.filters) {
      text +=
          fmt::format(" {}#{}#{}", filter.column, static_cast<int>(filter.operation), filter.text);
    }
    for (const ViewOrder& order : query.order) {
      text += fmt::format(" {}{}", order.is_descending ? "-" : "+", order.column);
    }
    done(std::move(text));
  }
  void Open(FeedRequest request, ChangeFeedService::Done done) override {
    done(std::make_unique<EmptySource>(fmt::format("{}/{}/{}/{}", static_cast<int>(request.kind),
                                                   request.name, request.from,
                                                   request.with_snapshot)));
  }
  void Query(SqlRequest request, SqlService::Done done) override {
    done(fmt::format("{}|{}|{}|{}", request.sql, request.wait_for,
                     request.timeout ? request.timeout->count() : -1,
                     request.limit ? static_cast<int64_t>(*request.limit) : -1));
  }
  void Replay(std::string stream, ReplayService::Done done) override {
    if (stream == "missing") {
      return done(Err(ErrorCode::kStreamNotFound, "no stream missing"));
    }
    done("replayed " + stream);
  }
  HealthReport Health() override { return {.is_healthy = false, .json = "{}"}; }
  Status Ready() override { return Err(ErrorCode::kUnavailable, "recovering secret.seg"); }
  std::string Metrics() override { return "up 1\n"; }

  const std::string& last() const { return last_; }

 private:
  std::string last_;
};

class RoutesTest : public testing::Test {
 protected:
  static Router MakeRouter(EchoServices& services) {
    Router router;
    AddIngestRoutes(router, services);
    AddReplayRoutes(router, services);
    AddStreamRoutes(router, services);
    AddViewRoutes(router, services);
    AddChangeRoutes(router, services);
    AddStatusRoutes(router, services);
    return router;
  }

  ClientAnswer Get(std::string_view target, std::string_view headers = "") {
    return server_.Connect().Exchange(MakeRequest("GET", target, headers));
  }

  ClientAnswer Post(std::string_view stream, std::string_view headers, std::string_view body) {
    return server_.Connect().Exchange(
        MakeRequest("POST", fmt::format("/api/v1/streams/{}/records", stream), headers, body));
  }

  EchoServices services_;
  TestServer server_{MakeRouter(services_)};
};

constexpr std::string_view kJson = "Content-Type: application/json; charset=utf-8\r\n";

TEST_F(RoutesTest, IngestAnswersWithCountsErrorsAndPositions) {
  const auto answer =
      Post("clicks", "Content-Type: application/x-ndjson\r\nIdempotency-Key: k-1\r\n", "{}\n{}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(services_.last(), "{}\n{} 1 k-1 ");
  EXPECT_THAT(answer.body, testing::StartsWith(
                               "{\"accepted\":2,\"rejected\":150,\"errors\":[{\"index\":0,\"code\":"
                               "\"MR4001\",\"message\":\"bad \\\"text\\\"\"},"));
  EXPECT_THAT(answer.body, HasSubstr("{\"index\":99,"));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("{\"index\":100,")));
  EXPECT_TRUE(
      answer.body.ends_with("],\"positions\":{\"3\":12,\"4\":7},\"position\":\"clicks:3@12\"}"));
}

TEST_F(RoutesTest, IngestChecksTypeKeyAndParameters) {
  EXPECT_EQ(Post("clicks", kJson, "[]").status, 200);
  EXPECT_EQ(Post("missing", kJson, "[]").status, 404);
  EXPECT_EQ(Post("clicks", "", "[]").status, 415);
  EXPECT_EQ(Post("clicks", "Content-Type: text/plain\r\n", "[]").status, 415);
  EXPECT_EQ(Post("clicks/records?x=1#", kJson, "[]").status, 400);
  const auto with_key = [&](std::string_view key) {
    return Post("clicks", fmt::format("{}Idempotency-Key: {}\r\n", kJson, key), "[]").status;
  };
  EXPECT_EQ(with_key(std::string(255, 'k')), 200);
  EXPECT_EQ(with_key(std::string(256, 'k')), 400);
  EXPECT_EQ(with_key(""), 400);
  EXPECT_EQ(with_key("a b"), 400);
  EXPECT_EQ(with_key("\xc3\xa4"), 400);
  EXPECT_EQ(with_key("a\r\nIdempotency-Key: b"), 400);
}

TEST_F(RoutesTest, ErrorsAreReplayed) {
  const auto post = [&](std::string_view target) {
    return server_.Connect().Exchange(MakeRequest("POST", target));
  };
  EXPECT_EQ(post("/api/v1/streams/clicks/replay").body, "replayed clicks");
  EXPECT_EQ(post("/api/v1/streams/missing/replay").status, 404);
  EXPECT_EQ(post("/api/v1/streams/clicks/replay?x=1").status, 400);
  EXPECT_EQ(Get("/api/v1/streams/clicks/replay").status, 405);
}

TEST_F(RoutesTest, StreamsAreListedDescribedAndRead) {
  EXPECT_EQ(Get("/api/v1/streams").body, "[\"streams\"]");
  EXPECT_EQ(Get("/api/v1/streams/late$v").body, "late$v");
  EXPECT_EQ(Get("/api/v1/streams/s/records").body, "s  100");
  EXPECT_EQ(Get("/api/v1/streams/s/records?from=0%3A5&limit=7").body, "s 0:5 7");
  EXPECT_EQ(Get("/api/v1/streams/s/records?limit=0").status, 400);
  EXPECT_EQ(Get("/api/v1/streams/s/records?limit=10001").status, 400);
  EXPECT_EQ(Get("/api/v1/streams/s/records?limit=1x").status, 400);
  EXPECT_EQ(Get("/api/v1/streams/s/records?limit=1&limit=2").status, 400);
  EXPECT_EQ(Get("/api/v1/streams/s/records?limits=1").status, 400);
}

TEST_F(RoutesTest, ViewsAreFilteredAndOrdered) {
  EXPECT_EQ(Get("/api/v1/views").body, "[\"views\"]");
  EXPECT_EQ(Get("/api/v1/views/v").body, "v 100   5000");
  EXPECT_EQ(Get("/api/v1/views/v?url=a%2Bb+c&n.gte=5&n.lt=9&limit.eq=1&order=-n,url&limit=3"
                "&cursor=abc&wait_for=s:0@1&timeout_ms=10")
                .body,
            "v 3 abc s:0@1 10 url#0#a+b c n#5#5 n#2#9 limit#0#1 -n +url");
  EXPECT_EQ(Get("/api/v1/views/v?a=1&a=2").status, 400);
  EXPECT_EQ(Get("/api/v1/views/v?order=a,-a").status, 400);
  EXPECT_EQ(Get("/api/v1/views/v?order=,").status, 400);
  EXPECT_EQ(Get("/api/v1/views/v?cursor=a&cursor=b").status, 400);
}

TEST_F(RoutesTest, ChangesResumeFromTheLastEvent) {
  EXPECT_THAT(Get("/api/v1/streams/s/changes").body, HasSubstr("id: 0/s//false\n"));
  EXPECT_THAT(Get("/api/v1/views/v/changes?snapshot=true").body, HasSubstr("id: 1/v//true\n"));
  EXPECT_THAT(Get("/api/v1/views/v/changes?from=a").body, HasSubstr("id: 1/v/a/false\n"));
  EXPECT_THAT(Get("/api/v1/views/v/changes?from=a", "Last-Event-ID: b\r\n").body,
              HasSubstr("id: 1/v/b/false\n"));
  EXPECT_THAT(Get("/api/v1/views/v/changes?snapshot=true", "Last-Event-ID: b\r\n").body,
              HasSubstr("id: 1/v/b/false\n"));
  EXPECT_EQ(Get("/api/v1/views/v/changes?snapshot=true&from=a").status, 400);
  EXPECT_EQ(Get("/api/v1/views/v/changes?snapshot=1").status, 400);
}

TEST_F(RoutesTest, StatusTellsTheUnknownLittle) {
  EXPECT_EQ(Get("/livez").status, 200);
  const auto ready = Get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, testing::Not(HasSubstr("secret")));
  EXPECT_EQ(Get("/api/v1/health").status, 503);
  EXPECT_EQ(Get("/metrics").body, "up 1\n");
  EXPECT_EQ(Get("/api/v1/metrics").body, "up 1\n");
}

TEST_F(RoutesTest, OnlyLivenessAndReadinessArePublic) {
  const Router router = MakeRouter(services_);
  for (const Route& route : router.routes()) {
    EXPECT_EQ(route.access == Access::kPublic, route.path == "/livez" || route.path == "/readyz")
        << route.path;
    EXPECT_EQ(route.access == Access::kWrite, route.method == Method::kPost) << route.path;
  }
}

}  // namespace
}  // namespace millrace::serve
