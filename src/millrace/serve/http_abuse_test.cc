// What a hostile or broken client may send over a real socket, and what must come of it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/serve/http_server.h"
#include "millrace/serve/http_testing.h"

namespace millrace::serve {
namespace {

Router MakeRouter() {
  Router router;
  router.Add(Method::kGet, "/ok", Access::kRead, [](RequestPtr, ResponderPtr responder) {
    responder->Send({.body = "ok", .headers = {}});
  });
  router.Add(Method::kPost, "/sink", Access::kWrite,
             [](RequestPtr request, ResponderPtr responder) {
               responder->Send({.body = fmt::format("{}", request->body.size()), .headers = {}});
             });
  return router;
}

/// Limits small enough that a test reaches them at once.
HttpServerOptions SmallLimits() {
  HttpServerOptions options{.header_bytes_max = 4096};
  options.body = {.wire_bytes_max = 100'000, .decoded_bytes_max = 4'000'000, .ratio_max = 100};
  options.body_memory_bytes = 4'000'000;
  options.head_timeout = options.body_timeout = std::chrono::milliseconds(30);
  options.memory_timeout = options.idle_timeout = std::chrono::milliseconds(30);
  options.tick = std::chrono::milliseconds(2);
  return options;
}

HttpServerOptions PatientLimits() {
  HttpServerOptions options = SmallLimits();
  options.head_timeout = options.body_timeout = std::chrono::seconds(20);
  options.memory_timeout = options.idle_timeout = std::chrono::seconds(20);
  return options;
}

/// Sends bytes on a fresh connection and expects an answer of `status`, then the end.
void ExpectRefused(TestServer& server, std::string_view bytes, int status) {
  TestClient client = server.Connect();
  const auto answer = client.Exchange(bytes);
  EXPECT_EQ(answer.status, status) << bytes.substr(0, 200);
  EXPECT_EQ(answer.headers.contains("connection") ? answer.headers.at("connection") : "", "close")
      << bytes.substr(0, 200);
  client.ReceiveEnd();
  EXPECT_EQ(client.pending(), "");
}

TEST(HttpAbuse, AmbiguousRequestsAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  const auto post = [](std::string_view headers, std::string_view body) {
    return fmt::format("POST /sink HTTP/1.1\r\nHost: localhost\r\n{}\r\n{}", headers, body);
  };
  for (const std::string_view headers : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -5\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n",
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Content-Length : 5\r\n",
           "X-Folded: a\r\n b\r\n",
           "X-Bare: a\nContent-Length: 5\r\n",
           "X-Return: a\rb\r\n",
           "X Space: a\r\n",
           ": nameless\r\n",
           "Host: other\r\n",
           "Expect: something\r\n",
       }) {
    ExpectRefused(server, post(headers, "12345"), 400);
  }
  ExpectRefused(server, post(std::string_view("X-Nul: a\0b\r\n", 12), "12345"), 400);
}

TEST(HttpAbuse, BrokenRequestLinesAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  for (const std::string_view line :
       {"GET /ok HTTP/2.0", "GET /ok HTTP/1.2", "GET  /ok HTTP/1.1", "GET /ok", "/ok HTTP/1.1",
        "G@T\x01 /ok HTTP/1.1", "GET /o\tk HTTP/1.1", " GET /ok HTTP/1.1"}) {
    ExpectRefused(server, fmt::format("{}\r\nHost: localhost\r\n\r\n", line), 400);
  }
  ExpectRefused(server, "GET /ok HTTP/1.1\r\n\r\n", 400);
}

TEST(HttpAbuse, PathsAreDecodedOnceAndNeverClimb) {
  TestServer server(MakeRouter(), PatientLimits());
  TestClient client = server.Connect();
  for (const std::string_view path : {"/../ok", "/x/../ok", "/%2e%2e/ok", "/.%2E/ok", "/./ok",
                                      "/ok%00", "/ok%0d%0a", "/%ff", "/%", "/%4", "/%zz"}) {
    EXPECT_EQ(client.Exchange(MakeRequest("GET", path)).status, 400) << path;
  }
  for (const std::string_view path : {"/%252e%252e/ok", "//ok", "/ok/", "/x%2fok", "/ok%5c"}) {
    EXPECT_EQ(client.Exchange(MakeRequest("GET", path)).status, 404) << path;
  }
  EXPECT_EQ(client.Exchange(MakeRequest("GET", "/%6fk")).status, 200);
  EXPECT_EQ(client.Exchange(MakeRequest("GET", "http://localhost/ok")).status, 200);
}

TEST(HttpAbuse, LargeHeadsAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  ExpectRefused(server, "GET /ok HTTP/1.1\r\nX: " + std::string(5000, 'x'), 431);
  ExpectRefused(server, "GET /" + std::string(5000, 'x'), 431);
  std::string many = "GET /ok HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 150; ++i) {
    many += fmt::format("X{}: y\r\n", i);
  }
  ExpectRefused(server, many + "\r\n", 431);
}

TEST(HttpAbuse, LargeBodiesAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  ExpectRefused(server, "POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n",
                413);
  const std::string chunk = fmt::format("c350\r\n{}\r\n", std::string(50'000, 'x'));
  ExpectRefused(
      server,
      MakeRequest("POST", "/sink", "Transfer-Encoding: chunked\r\n") + chunk + chunk + chunk, 413);
}

TEST(HttpAbuse, BrokenChunksAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  const std::string head = MakeRequest("POST", "/sink", "Transfer-Encoding: chunked\r\n");
  for (const std::string_view chunks : {"-2\r\nab\r\n", "xyz\r\nab\r\n", "ffffffffffffffffff\r\nab",
                                        "2\r\nabc\r\n0\r\n\r\n", " 2\r\nab\r\n0\r\n\r\n"}) {
    ExpectRefused(server, head + std::string(chunks), 400);
  }
  ExpectRefused(server, head + "2;" + std::string(5000, 'x'), 400);
}

TEST(HttpAbuse, ChunksWithBareLineFeedsOrHexPrefixesNeverEnd) {
  // The parser waits for the rest of a line that never comes: no request is made of them.
  TestServer server(MakeRouter(), SmallLimits());
  const std::string head = MakeRequest("POST", "/sink", "Transfer-Encoding: chunked\r\n");
  ExpectRefused(server, head + "2\nab\n0\n\n", 408);
  ExpectRefused(server, head + "0x2\r\nab\r\n", 408);
}

TEST(HttpAbuse, GzipBombsAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  const auto post = [](std::string_view body) {
    return MakeRequest("POST", "/sink", "Content-Encoding: gzip\r\n", body);
  };
  ExpectRefused(server, post(Gzip(std::string(20'000'000, ' '))), 413);
  ExpectRefused(server, post("not gzip at all"), 400);
  const std::string whole = Gzip("some text that is compressed");
  ExpectRefused(server, post(whole.substr(0, whole.size() - 3)), 400);
  ExpectRefused(server, post(whole + "garbage behind"), 400);
  EXPECT_EQ(server.Connect().Exchange(post(whole)).body, "28");
}

TEST(HttpAbuse, OtherEncodingsAreRefused) {
  TestServer server(MakeRouter(), PatientLimits());
  for (const std::string_view encoding : {"br", "gzip, gzip", "deflate", ""}) {
    const auto answer = server.Connect().Exchange(
        MakeRequest("POST", "/sink", fmt::format("Content-Encoding: {}\r\n", encoding), "x"));
    EXPECT_EQ(answer.status, 415) << encoding;
  }
}

TEST(HttpAbuse, SlowHeadsBodiesAndIdleConnectionsEnd) {
  TestServer server(MakeRouter(), SmallLimits());
  TestClient silent = server.Connect();
  TestClient slow_head = server.Connect();
  TestClient slow_body = server.Connect();
  TestClient idle = server.Connect();
  slow_head.Send("GET /ok HTTP/1.1\r\nHost: loc");
  slow_body.Send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\nabc");
  EXPECT_EQ(idle.Exchange(MakeRequest("GET", "/ok")).status, 200);
  silent.ReceiveEnd();
  EXPECT_EQ(silent.pending(), "");
  EXPECT_EQ(slow_head.Receive().status, 408);
  slow_head.ReceiveEnd();
  EXPECT_EQ(slow_body.Receive().status, 408);
  slow_body.ReceiveEnd();
  idle.ReceiveEnd();
  EXPECT_EQ(idle.pending(), "");
  EXPECT_EQ(server.metrics().rejections[static_cast<size_t>(Rejection::kTimeout)], 2U);
}

TEST(HttpAbuse, BodiesWaitForMemoryAndThenFail) {
  HttpServerOptions options = PatientLimits();
  options.body = {.wire_bytes_max = 100'000, .decoded_bytes_max = 100'000, .ratio_max = 100};
  options.body_memory_bytes = 100'000;
  options.memory_timeout = std::chrono::milliseconds(30);
  TestServer server(MakeRouter(), options);
  TestClient holder = server.Connect();
  holder.Send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000\r\n\r\nabc");
  // The first is known to hold its memory when the next is refused for want of it.
  ClientAnswer refused;
  do {
    refused = server.Connect().Exchange(MakeRequest("POST", "/sink", "", std::string(50'000, 'x')));
  } while (refused.status == 200);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_EQ(holder.Exchange(std::string(79'997, 'x')).body, "80000");
  EXPECT_EQ(server.Connect().Exchange(MakeRequest("POST", "/sink", "", "x")).status, 200);
}

TEST(HttpAbuse, WaitingBodyGoesOnWhenMemoryIsGivenBack) {
  HttpServerOptions options = PatientLimits();
  options.body = {.wire_bytes_max = 100'000, .decoded_bytes_max = 100'000, .ratio_max = 100};
  options.body_memory_bytes = 100'000;
  TestServer server(MakeRouter(), options);
  TestClient first = server.Connect();
  TestClient second = server.Connect();
  first.Send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000\r\n\r\nabc");
  second.Send("POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000\r\n\r\nabc");
  // Whichever was granted first, both end once both are sent.
  first.Send(std::string(79'997, 'x'));
  second.Send(std::string(79'997, 'x'));
  EXPECT_EQ(first.Receive().body, "80000");
  EXPECT_EQ(second.Receive().body, "80000");
}

TEST(HttpAbuse, HostsOfOthersAreRefusedOnLoopback) {
  HttpServerOptions options = PatientLimits();
  options.host_names = {"data.example"};
  TestServer server(MakeRouter(), options);
  TestClient client = server.Connect();
  const auto get = [](std::string_view host) {
    return fmt::format("GET /ok HTTP/1.1\r\nHost: {}\r\n\r\n", host);
  };
  for (const std::string_view host : {"localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:80",
                                      "127.9.9.9", "data.example", "Data.Example:8080"}) {
    EXPECT_EQ(client.Exchange(get(host)).status, 200) << host;
  }
  for (const std::string_view host : {"evil.example", "localhost.evil.example", "127.0.0.1.nip.io",
                                      "10.0.0.1", "", "[::1", "localhost:80:80", "a@localhost"}) {
    EXPECT_EQ(client.Exchange(get(host)).status, 421) << host;
  }
  EXPECT_EQ(client.Exchange(MakeRequest("GET", "http://evil.example/ok")).status, 421);
}

TEST(HttpAbuse, PagesOfOtherSitesCannotWrite) {
  TestServer server(MakeRouter(), PatientLimits());
  TestClient client = server.Connect();
  const auto post = [&](std::string_view origin) {
    const std::string header = fmt::format("Origin: {}\r\n", origin);
    return client.Exchange(MakeRequest("POST", "/sink", header, "x")).status;
  };
  EXPECT_EQ(post("http://localhost"), 200);
  EXPECT_EQ(post("http://evil.example"), 403);
  EXPECT_EQ(post("null"), 403);
}

TEST(HttpAbuse, TokensAndScopesAreChecked) {
  TestServer server(MakeRouter(), PatientLimits(),
                    {{.name = "r", .sha256_hex = HashToken("reader"), .scopes = {.read = true}},
                     {.name = "w", .sha256_hex = HashToken("writer"), .scopes = {.write = true}},
                     {.name = "a", .sha256_hex = HashToken("root"), .scopes = {.admin = true}}});
  TestClient client = server.Connect();
  const auto status = [&](std::string_view method, std::string_view path, std::string_view token) {
    const std::string header =
        token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", token);
    return client.Exchange(MakeRequest(method, path, header)).status;
  };
  EXPECT_EQ(status("GET", "/ok", ""), 401);
  EXPECT_EQ(status("GET", "/ok", "wrong"), 401);
  EXPECT_EQ(status("GET", "/ok", HashToken("reader")), 401);
  EXPECT_EQ(status("GET", "/nothing", ""), 401);
  EXPECT_EQ(status("GET", "/ok", "reader"), 200);
  EXPECT_EQ(status("GET", "/ok", "writer"), 403);
  EXPECT_EQ(status("POST", "/sink", "reader"), 403);
  EXPECT_EQ(status("POST", "/sink", "writer"), 200);
  EXPECT_EQ(status("GET", "/ok", "root"), 200);
  EXPECT_EQ(status("GET", "/nothing", "reader"), 404);
}

TEST(HttpAbuse, AbruptEndsLeaveTheServerWell) {
  TestServer server(MakeRouter(), PatientLimits());
  for (const std::string_view bytes :
       {"", "GET /ok HT", "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\nabc",
        "POST /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    for (int i = 0; i < 10; ++i) {
      TestClient client = server.Connect();
      client.Send(bytes);
      client.Reset();
    }
  }
  EXPECT_EQ(server.Connect().Exchange(MakeRequest("GET", "/ok")).status, 200);
}

}  // namespace
}  // namespace millrace::serve
