#include <atomic>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/bounded_queue.h"
#include "millrace/base/mutex.h"
#include "millrace/serve/event_text.h"
#include "millrace/serve/http_testing.h"

namespace millrace::serve {
namespace {

/// What a test and its event source share.
struct Feed {
  Mutex mutex;
  std::string ready MR_GUARDED_BY(mutex);
  bool ended MR_GUARDED_BY(mutex) = false;
  bool endless MR_GUARDED_BY(mutex) = false;
  uint64_t given_bytes MR_GUARDED_BY(mutex) = 0;
  std::function<void()> wake MR_GUARDED_BY(mutex);
  BoundedQueue<int> opened{100};
  BoundedQueue<int> gone{100};

  void Add(std::string_view bytes, bool is_end = false) {
    std::function<void()> call;
    {
      MutexLock lock(mutex);
      ready += bytes;
      ended = is_end;
      call = wake;
    }
    call();
  }
};

class FeedSource final : public EventSource {
 public:
  explicit FeedSource(Feed& feed) : feed_(feed) {}
  ~FeedSource() override { feed_.gone.Push(1); }

  void Start(std::function<void()> wake) override {
    MutexLock lock(feed_.mutex);
    feed_.wake = std::move(wake);
    feed_.opened.Push(1);
  }

  Chunk Next(size_t bytes_max) override {
    MutexLock lock(feed_.mutex);
    std::string bytes =
        feed_.endless ? std::string(bytes_max, 'x') : feed_.ready.substr(0, bytes_max);
    feed_.ready.erase(0, bytes.size());
    feed_.given_bytes += bytes.size();
    return {
        .bytes = std::move(bytes), .is_end = feed_.ended && feed_.ready.empty(), .gaps_count = 0};
  }

 private:
  Feed& feed_;
};

Router MakeRouter(Feed& feed) {
  Router router;
  router.Add(Method::kGet, "/events", Access::kRead, [&](RequestPtr, ResponderPtr responder) {
    responder->Stream(std::make_unique<FeedSource>(feed));
  });
  router.Add(Method::kGet, "/ok", Access::kRead, [](RequestPtr, ResponderPtr responder) {
    responder->Send({.body = "ok", .headers = {}});
  });
  return router;
}

TEST(EventText, DataMayHaveLines) {
  std::string out;
  AppendEvent(out, "change", "7", "a\nb\r\nc\rd");
  AppendEvent(out, "", "", "");
  EXPECT_EQ(out, "event: change\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\n\ndata: \n\n");
}

TEST(EventStream, SendsEventsAsTheyComeAndEnds) {
  Feed feed;
  TestServer server(MakeRouter(feed));
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/events"));
  ASSERT_TRUE(client.ReceiveUntil("\r\n\r\n"));
  EXPECT_THAT(client.pending(), testing::HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(client.pending(), testing::Not(testing::HasSubstr("Content-Length")));
  feed.opened.Pop();
  for (int i = 0; i < 20; ++i) {
    const std::string event = fmt::format("data: {}.\n\n", i);
    feed.Add(event);
    EXPECT_TRUE(client.ReceiveUntil(event));
  }
  feed.Add("data: last\n\n", true);
  client.ReceiveEnd();
  EXPECT_TRUE(client.pending().ends_with("data: last\n\n"));
  feed.gone.Pop();
  EXPECT_EQ(server.metrics().event_streams, 0);
}

TEST(EventStream, HeadHasNoEvents) {
  Feed feed;
  TestServer server(MakeRouter(feed));
  TestClient client = server.Connect();
  EXPECT_EQ(client.Exchange(MakeRequest("HEAD", "/events")).status, 200);
  client.ReceiveEnd();
  EXPECT_EQ(client.pending(), "");
}

TEST(EventStream, HeartbeatsKeepItAlive) {
  Feed feed;
  TestServer server(MakeRouter(feed), {.event_heartbeat = std::chrono::milliseconds(5),
                                       .tick = std::chrono::milliseconds(2)});
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/events"));
  EXPECT_TRUE(client.ReceiveUntil("\r\n\r\n:\n\n:\n\n"));
}

TEST(EventStream, ClientThatLeavesIsNoticed) {
  Feed feed;
  TestServer server(MakeRouter(feed));
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/events"));
  feed.opened.Pop();
  client.Reset();
  EXPECT_TRUE(feed.gone.Pop());
  feed.Add("data: nobody\n\n");
}

TEST(EventStream, ClientThatLeavesWhileEventsFlowIsNoticed) {
  Feed feed;
  {
    MutexLock lock(feed.mutex);
    feed.endless = true;
  }
  TestServer server(MakeRouter(feed));
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/events"));
  EXPECT_TRUE(client.ReceiveUntil("xxxx"));
  client.Reset();
  EXPECT_TRUE(feed.gone.Pop());
}

TEST(EventStream, SlowClientHoldsAChunkAndHurtsNobody) {
  Feed feed;
  {
    MutexLock lock(feed.mutex);
    feed.endless = true;
  }
  HttpServerOptions options{.threads_count = 1,
                            .write_timeout = std::chrono::milliseconds(30),
                            .tick = std::chrono::milliseconds(2)};
  TestServer server(MakeRouter(feed), options);
  TestClient slow = server.Connect();
  slow.Send(MakeRequest("GET", "/events"));
  EXPECT_EQ(server.Connect().Exchange(MakeRequest("GET", "/ok")).body, "ok");
  // It never reads: the socket fills, nothing is asked of the source any more, and it is closed.
  EXPECT_TRUE(feed.gone.Pop());
  MutexLock lock(feed.mutex);
  EXPECT_LE(feed.given_bytes, server.metrics().sent_bytes + options.event_chunk_bytes);
}

TEST(EventStream, StopEndsStreams) {
  Feed feed;
  TestServer server(MakeRouter(feed));
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/events"));
  feed.opened.Pop();
  server.server().Stop(std::chrono::seconds(20));
  EXPECT_TRUE(feed.gone.Pop());
  feed.Add("data: nobody\n\n");
}

}  // namespace
}  // namespace millrace::serve
