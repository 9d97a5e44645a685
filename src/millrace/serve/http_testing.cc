#include "millrace/serve/http_testing.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "millrace/base/check.h"

namespace millrace::serve {

TestClient::TestClient(const ListenAddress& address)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
  MR_CHECK(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0, "connect");
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const timeval timeout{.tv_sec = 20, .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

TestClient::TestClient(TestClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pending_(std::move(other.pending_)) {}

TestClient::~TestClient() {
  if (socket_ >= 0) {
    close(socket_);
  }
}

bool TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool TestClient::ReadMore() {
  std::string buffer(1 << 16, '\0');
  const ssize_t received = recv(socket_, buffer.data(), buffer.size(), 0);
  if (received <= 0) {
    return false;
  }
  pending_.append(buffer, 0, static_cast<size_t>(received));
  return true;
}

ClientAnswer TestClient::Receive(bool is_head) {
  ClientAnswer answer;
  while (!pending_.contains("\r\n\r\n")) {
    if (!ReadMore()) {
      return answer;
    }
  }
  const size_t head_size = pending_.find("\r\n\r\n") + 4;
  std::string_view head = std::string_view(pending_).substr(0, head_size - 2);
  const int status = std::stoi(std::string(head.substr(9, 3)));
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    std::string name(line.substr(0, line.find(": ")));
    std::ranges::transform(name, name.begin(), [](char c) { return std::tolower(c); });
    answer.headers[name] = line.substr(line.find(": ") + 2);
    head.remove_prefix(line.size() + 2);
  }
  pending_.erase(0, head_size);
  const auto length = answer.headers.find("content-length");
  const size_t size = is_head || status < 200 || status == 204 ? 0
                      : length == answer.headers.end()         ? std::string::npos
                                                               : std::stoul(length->second);
  while (pending_.size() < size) {
    if (!ReadMore()) {
      if (size == std::string::npos) {
        break;
      }
      return answer;
    }
  }
  answer.status = status;
  answer.body = pending_.substr(0, size);
  pending_.erase(0, size);
  return answer;
}

ClientAnswer TestClient::Exchange(std::string_view bytes) {
  Send(bytes);
  return Receive(bytes.starts_with("HEAD "));
}

bool TestClient::ReceiveUntil(std::string_view text) {
  while (!pending_.contains(text)) {
    if (!ReadMore()) {
      return false;
    }
  }
  return true;
}

void TestClient::ReceiveEnd() {
  while (ReadMore()) {
  }
}

void TestClient::Reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(std::exchange(socket_, -1));
}

namespace {

HttpServerOptions OnFreePort(HttpServerOptions options) {
  options.listen = {"127.0.0.1:0"};
  return options;
}

}  // namespace

TestServer::TestServer(Router router, HttpServerOptions options,
                       const std::vector<TokenEntry>& tokens)
    : router_(std::move(router)),
      authenticator_(*Authenticator::Create(tokens)),
      metrics_(router_),
      server_(OnFreePort(std::move(options)), router_, authenticator_, clock_, metrics_) {
  auto addresses = server_.Start();
  MR_CHECK(addresses.has_value(), "{}", addresses.error().ToString());
  address_ = addresses->front();
}

std::string MakeRequest(std::string_view method, std::string_view target, std::string_view headers,
                        std::string_view body) {
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}", method, target, headers);
  if (!body.empty()) {
    fmt::format_to(std::back_inserter(request), "Content-Length: {}\r\n", body.size());
  }
  return fmt::format("{}\r\n{}", request, body);
}

std::string Gzip(std::string_view text) {
  z_stream z{};
  MR_CHECK(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string out(deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  MR_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib");
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace millrace::serve
