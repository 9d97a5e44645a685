#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/clock.h"
#include "millrace/serve/http_server.h"

namespace millrace::serve {

/// An answer as a client sees it.
struct ClientAnswer {
  int status = 0;  ///< 0: the connection ended before an answer was complete.
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
};

/// A blocking client on one TCP connection that sends whatever bytes it is told.
class TestClient {
 public:
  explicit TestClient(const ListenAddress& address);
  TestClient(TestClient&& other) noexcept;
  TestClient& operator=(TestClient&&) = delete;
  ~TestClient();

  /// Returns false when the peer has closed.
  bool Send(std::string_view bytes);
  /// Reads one answer; its body is read by Content-Length, else to the end of the connection.
  ClientAnswer Receive(bool is_head = false);
  ClientAnswer Exchange(std::string_view bytes);
  /// Reads until `text` has been received; false when the connection ends before.
  bool ReceiveUntil(std::string_view text);
  /// Waits for the end of the connection, dropping what comes.
  void ReceiveEnd();
  /// Closes with a reset, as a crashed peer would.
  void Reset();
  /// What was received and not returned yet.
  const std::string& pending() const { return pending_; }

 private:
  bool ReadMore();

  int socket_;
  std::string pending_;
};

/// A server on a free loopback port with the given routes.
class TestServer {
 public:
  explicit TestServer(Router router, HttpServerOptions options = {},
                      const std::vector<TokenEntry>& tokens = {});

  const ListenAddress& address() const { return address_; }
  TestClient Connect() const { return TestClient(address_); }
  HttpMetrics& metrics() { return metrics_; }
  HttpServer& server() { return server_; }

 private:
  const Router router_;
  const Authenticator authenticator_;
  const SystemClock clock_;
  HttpMetrics metrics_;
  HttpServer server_;
  ListenAddress address_;
};

/// A request with a Host header and, when `body` is not empty, a Content-Length.
std::string MakeRequest(std::string_view method, std::string_view target,
                        std::string_view headers = "", std::string_view body = "");

std::string Gzip(std::string_view text);

}  // namespace millrace::serve
