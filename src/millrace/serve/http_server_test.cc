#include "millrace/serve/http_server.h"

#include <atomic>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/bounded_queue.h"
#include "millrace/base/checksum.h"
#include "millrace/base/rng.h"
#include "millrace/base/thread.h"
#include "millrace/serve/http_testing.h"

namespace millrace::serve {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Keeps responders until the test answers.
using Held = BoundedQueue<SharedResponder>;
using Flag = std::shared_ptr<const std::atomic<bool>>;

/// Keeps the responder of each request of /watched, and says whether its client has gone.
struct Watched {
  BoundedQueue<Flag> flags{10};
  Held responders{10};
};

Router MakeWatchedRouter(Watched& watched) {
  Router router;
  router.Add(Method::kGet, "/watched", Access::kRead,
             [&watched](RequestPtr, ResponderPtr responder) {
               watched.flags.Push(responder->WatchClient());
               watched.responders.Push(SharedResponder(std::move(responder)));
             });
  return router;
}

void WaitUntilSet(const Flag& flag) {
  while (!*flag) {
    std::this_thread::yield();
  }
}

Router MakeRouter(Held* held = nullptr) {
  Router router;
  router.Add(Method::kGet, "/hello/{name}", Access::kPublic,
             [](RequestPtr request, ResponderPtr responder) {
               responder->Send({.content_type = "text/plain",
                                .body = fmt::format("hello {}", request->path_parameters[0]),
                                .headers = {}});
             });
  router.Add(Method::kPost, "/echo", Access::kWrite,
             [](RequestPtr request, ResponderPtr responder) {
               const RequestBody body = std::move(request->body);
               for (size_t i = 0; i < RequestBody::kPadding; ++i) {
                 EXPECT_EQ(*(body.text().data() + body.size() + i), 0);
               }
               responder->Send({.content_type = "text/plain",
                                .body = fmt::format("{} {:x}", body.size(), Xxh3(body.text())),
                                .headers = {}});
             });
  router.Add(Method::kPost, "/dropped", Access::kWrite, [](RequestPtr, ResponderPtr) {});
  router.Add(Method::kGet, "/held", Access::kRead, [held](RequestPtr, ResponderPtr responder) {
    held->Push(SharedResponder(std::move(responder)));
  });
  return router;
}

std::string EchoOf(std::string_view body) {
  return fmt::format("{} {:x}", body.size(), Xxh3(body));
}

std::string MakeBody(size_t size) {
  Rng rng(size);
  std::string body(size, '\0');
  for (char& c : body) {
    c = static_cast<char>('a' + rng.Below(16));
  }
  return body;
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.Exchange(MakeRequest("GET", "/hello/a%20b?x=1"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello a b");
    EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_THAT(answer.headers.at("date"), HasSubstr(" GMT"));
    EXPECT_FALSE(answer.headers.contains("access-control-allow-origin"));
  }
  EXPECT_EQ(server.metrics().connections_total, 1U);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += MakeRequest("GET", fmt::format("/hello/{}", i));
    requests += MakeRequest("POST", "/echo", "", MakeBody(static_cast<size_t>(i) * 100 + 1));
  }
  client.Send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Receive().body, fmt::format("hello {}", i));
    EXPECT_EQ(client.Receive().body, EchoOf(MakeBody(static_cast<size_t>(i) * 100 + 1)));
  }
}

TEST(HttpServer, HeadAndOptionsFollowFromTheRoutes) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  const auto head = client.Exchange(MakeRequest("HEAD", "/hello/x"));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "7");
  const auto options = client.Exchange(MakeRequest("OPTIONS", "/echo"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("allow"), "POST, OPTIONS");
  const auto wrong = client.Exchange(MakeRequest("GET", "/echo"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.Exchange(MakeRequest("GET", "/nothing")).status, 404);
  EXPECT_EQ(client.Exchange(MakeRequest("BREW", "/echo")).status, 405);
}

TEST(HttpServer, ProblemDocumentsNameCodeAndRequest) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  const auto answer = client.Exchange(MakeRequest("GET", "/nothing"));
  EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, StartsWith("{\"type\":\"urn:millrace:error:7002\",\"title\":"));
  EXPECT_THAT(answer.body, HasSubstr("\"status\":404,"));
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"MR7002\""));
  EXPECT_THAT(answer.body,
              HasSubstr(fmt::format("\"instance\":\"{}\"", answer.headers.at("x-request-id"))));
}

TEST(HttpServer, ReceivesBodiesOfAllSizesInOnePiece) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  for (const size_t size : {1UL, 100UL, 16'384UL, 65'536UL, 262'144UL, 262'145UL, 3'000'000UL}) {
    const std::string body = MakeBody(size);
    EXPECT_EQ(client.Exchange(MakeRequest("POST", "/echo", "", body)).body, EchoOf(body)) << size;
  }
  EXPECT_EQ(client.Exchange(MakeRequest("POST", "/echo")).body, EchoOf(""));
}

std::string Chunked(std::string_view body, size_t chunk) {
  std::string text;
  for (size_t at = 0; at < body.size(); at += chunk) {
    const auto piece = body.substr(at, chunk);
    text += fmt::format("{:x};name=\"value\"\r\n{}\r\n", piece.size(), piece);
  }
  return text + "0\r\nTrailer: ignored\r\n\r\n";
}

TEST(HttpServer, ReceivesChunkedAndCompressedBodies) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
  constexpr std::string_view kGzip = "Content-Encoding: gzip\r\n";
  for (const size_t size : {1UL, 5'000UL, 300'000UL, 2'000'000UL}) {
    const std::string body = MakeBody(size);
    for (const size_t chunk : {size, size / 3 + 1, 100'000UL}) {
      client.Send(MakeRequest("POST", "/echo", kChunked) + Chunked(body, chunk));
      EXPECT_EQ(client.Receive().body, EchoOf(body)) << size << " in " << chunk;
    }
    client.Send(MakeRequest("POST", "/echo", kGzip, Gzip(body)));
    EXPECT_EQ(client.Receive().body, EchoOf(body)) << size;
    client.Send(MakeRequest("POST", "/echo", fmt::format("{}{}", kChunked, kGzip)) +
                Chunked(Gzip(body), 1000));
    EXPECT_EQ(client.Receive().body, EchoOf(body)) << size;
  }
  const std::string members = Gzip("one ") + Gzip("two");
  EXPECT_EQ(client.Exchange(MakeRequest("POST", "/echo", kGzip, members)).body, EchoOf("one two"));
}

TEST(HttpServer, ContinueIsSentWhenTheRequestMayGoOn) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  const auto head = [](std::string_view target, size_t size) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        "Content-Length: {}\r\n\r\n",
        target, size);
  };
  EXPECT_EQ(client.Exchange(head("/echo", 5)).status, 100);
  EXPECT_EQ(client.Exchange("12345").body, EchoOf("12345"));
  const auto refused = client.Exchange(head("/nothing", 5));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.headers.at("connection"), "close");
}

TEST(HttpServer, AnswersComeFromAnyThread) {
  Held held(10);
  TestServer server(MakeRouter(&held));
  TestClient client = server.Connect();
  client.Send(MakeRequest("GET", "/held") + MakeRequest("GET", "/hello/next"));
  Thread answering("answering", [&] { (*held.Pop())->Send({.body = "late", .headers = {}}); });
  EXPECT_EQ(client.Receive().body, "late");
  EXPECT_EQ(client.Receive().body, "hello next");
}

TEST(HttpServer, DroppedResponderIsAnInternalError) {
  TestServer server(MakeRouter());
  const auto answer = server.Connect().Exchange(MakeRequest("POST", "/dropped"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("MR9001"));
}

TEST(HttpServer, OneWaitingRequestDoesNotHoldUpOthers) {
  Held held(100);
  TestServer server(MakeRouter(&held), {.threads_count = 1});
  std::vector<TestClient> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(server.Connect());
    waiting.back().Send(MakeRequest("GET", "/held"));
  }
  EXPECT_EQ(server.Connect().Exchange(MakeRequest("GET", "/hello/x")).status, 200);
}

TEST(HttpServer, HandlersSeeThatTheirClientHasGone) {
  Watched watched;
  TestServer server(MakeWatchedRouter(watched));
  std::optional<TestClient> client(server.Connect());
  client->Send(MakeRequest("GET", "/watched"));
  const Flag gone = *watched.flags.Pop();
  const SharedResponder unanswered = *watched.responders.Pop();
  EXPECT_FALSE(*gone);
  client.reset();
  WaitUntilSet(gone);

  TestClient crashing = server.Connect();
  crashing.Send(MakeRequest("GET", "/watched"));
  const Flag crashed = *watched.flags.Pop();
  const SharedResponder too_late = *watched.responders.Pop();
  crashing.Reset();
  WaitUntilSet(crashed);
}

TEST(HttpServer, AWatchedConnectionAnswersAndGoesOn) {
  Watched watched;
  TestServer server(MakeWatchedRouter(watched));
  TestClient client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    // The second one comes while the first is handled.
    client.Send(MakeRequest("GET", "/watched"));
    if (i == 0) {
      client.Send(MakeRequest("GET", "/watched"));
    }
    const Flag gone = *watched.flags.Pop();
    (*watched.responders.Pop())->Send({.body = fmt::format("{}", i), .headers = {}});
    EXPECT_EQ(client.Receive().body, fmt::format("{}", i));
    EXPECT_FALSE(*gone);
  }
}

TEST(HttpServer, StopLetsRequestsFinish) {
  Held held(10);
  // One thread: when the idle connection has ended, the other one knows too.
  TestServer server(MakeRouter(&held), {.threads_count = 1});
  TestClient idle = server.Connect();
  TestClient busy = server.Connect();
  EXPECT_EQ(idle.Exchange(MakeRequest("GET", "/hello/x")).status, 200);
  busy.Send(MakeRequest("GET", "/held"));
  const SharedResponder responder = *held.Pop();
  Thread stopping("stopping", [&] { server.server().Stop(std::chrono::seconds(20)); });
  idle.ReceiveEnd();
  responder->Send({.body = "done", .headers = {}});
  const auto answer = busy.Receive();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST(HttpServer, ResponderOutlivesTheServer) {
  Held held(10);
  SharedResponder responder;
  {
    TestServer server(MakeRouter(&held));
    TestClient client = server.Connect();
    client.Send(MakeRequest("GET", "/held"));
    responder = *held.Pop();
    server.server().Stop(std::chrono::milliseconds(0));
    EXPECT_EQ(client.Receive().status, 0);
  }
  responder->Send({.body = "too late", .headers = {}});
}

TEST(HttpServer, ConnectionsBeyondTheLimitAreTurnedAway) {
  TestServer server(MakeRouter(), {.connections_max = 2});
  TestClient first = server.Connect();
  TestClient second = server.Connect();
  EXPECT_EQ(first.Exchange(MakeRequest("GET", "/hello/x")).status, 200);
  EXPECT_EQ(second.Exchange(MakeRequest("GET", "/hello/x")).status, 200);
  EXPECT_EQ(server.Connect().Receive().status, 503);
}

TEST(HttpServer, RefusesToListenBeyondLoopbackWithoutTokens) {
  const Router router = MakeRouter();
  HttpMetrics metrics(router);
  const SystemClock clock;
  const auto open = *Authenticator::Create({});
  const auto start = [&](const Authenticator& authenticator, HttpServerOptions options) {
    options.listen = {"0.0.0.0:0"};
    return HttpServer(std::move(options), router, authenticator, clock, metrics).Start();
  };
  EXPECT_EQ(start(open, {}).error().code(), ErrorCode::kConfigUnsafeListen);
  EXPECT_TRUE(start(open, {.insecure = true}));
  const auto closed = *Authenticator::Create(
      {{.name = "t", .sha256_hex = HashToken("secret"), .scopes = {.read = true}}});
  EXPECT_TRUE(start(closed, {}));
}

TEST(HttpServer, ReportsAPortInUse) {
  TestServer first(MakeRouter());
  const Router router = MakeRouter();
  HttpMetrics metrics(router);
  const SystemClock clock;
  const auto authenticator = *Authenticator::Create({});
  HttpServer second({.listen = {first.address().ToString()}}, router, authenticator, clock,
                    metrics);
  EXPECT_EQ(second.Start().error().code(), ErrorCode::kListenFailed);
}

TEST(HttpServer, MetricsCountRoutesAndBytes) {
  TestServer server(MakeRouter());
  TestClient client = server.Connect();
  client.Exchange(MakeRequest("GET", "/hello/x"));
  client.Exchange(MakeRequest("GET", "/nothing"));
  client.Exchange(MakeRequest("GET", "/hello/x"));
  MetricsRegistry registry;
  const auto registration = registry.AddCollector(
      HttpMetrics::Families(), [&](MetricsWriter& writer) { server.metrics().Collect(writer); });
  const std::string text = registry.Render();
  EXPECT_THAT(text,
              HasSubstr("requests_total{method=\"GET\",route=\"/hello/{name}\",status=\"2xx\"}"));
  EXPECT_THAT(text, HasSubstr("millrace_http_rejected_total{reason=\"not_found\"} 1"));
  EXPECT_THAT(text, HasSubstr("millrace_http_connections 1\n"));
  EXPECT_GT(server.metrics().received_bytes, 100U);
}

}  // namespace
}  // namespace millrace::serve
