// Load over HTTP against a running Millrace: throughput with large bodies, or the time from a post
// to its change on the event stream at a fixed rate. One process on the same machine; loopback
// only.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/base/rng.h"
#include "millrace/base/thread.h"

namespace millrace {
namespace {

struct Options {
  uint16_t port = 8080;
  int connections = 4;
  size_t body_bytes = 256 << 10;
  double seconds = 10;
  int urls = 1000;
  bool distinct = false;   // Every record has a URL of its own,
  uint64_t first_url = 0;  // numbered from here on.
  int rate = 0;            // Events per second; 0 = as fast as it goes.
  int request_rows = 20;   // Rows per request at a fixed rate.
};

class Connection {
 public:
  explicit Connection(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    MR_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0,
             "cannot connect to port {}", port);
  }
  ~Connection() { close(fd_); }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      MR_CHECK(n > 0, "send failed");
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }

  std::string_view Receive() {
    const ssize_t n = recv(fd_, buffer_, sizeof(buffer_), 0);
    MR_CHECK(n > 0, "the server closed the connection");
    return {buffer_, static_cast<size_t>(n)};
  }

  /// Sends a body and waits for the answer, which must be 200.
  void Post(std::string_view body) {
    Send(
        fmt::format("POST /api/v1/streams/clicks/records HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
                    body.size()));
    Send(body);
    std::string answer;
    while (answer.find("\"position\"") == std::string::npos) {
      answer += Receive();
      MR_CHECK(answer.starts_with("HTTP/1.1 200"), "{}", answer);
    }
  }

  bool Readable(int timeout_ms) const {
    pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&poll_fd, 1, timeout_ms) > 0;
  }

 private:
  int fd_;
  char buffer_[64 << 10];
};

/// A body of records whose times can be written anew without building it again.
class Body {
 public:
  Body(Rng& rng, size_t bytes, size_t rows_max, int urls) {
    while (text_.size() < bytes && rows_ < rows_max) {
      text_ += fmt::format(
          "{{\"id\":{},\"user_id\":\"user-{:07}\",\"session\":\"{:016x}\",\"url\":\"/shop/item/",
          100'000'000 + rng.Below(900'000'000), rng.Below(1'000'000), rng.Next());
      url_at_.push_back(text_.size());
      text_ += fmt::format(
          "{}/details\",\"referrer\":\"https://www.example.com/search?q={}\","
          "\"price\":{}.{:02},\"sent\":",
          100'000'000 + rng.Below(static_cast<uint64_t>(urls)), rng.Below(100'000),
          1 + rng.Below(1000), rng.Below(100));
      sent_at_.push_back(text_.size());
      text_ += "0000000000000000,\"at\":\"2026-01-01T00:00:00.000Z\"}\n";
      ++rows_;
    }
  }

  /// Sets every record's event time, and `sent`.
  void SetTime(Micros at, Micros sent) {
    constexpr Micros kBase = 1'767'225'600'000'000;  // 2026-01-01
    const Micros since = at - kBase;
    const std::string time =
        fmt::format("{:02}:{:02}:{:02}.{:03}", since / 3'600'000'000 % 24, since / 60'000'000 % 60,
                    since / 1'000'000 % 60, since / 1'000 % 1'000);
    const std::string stamp = fmt::format("{:016}", sent + 1'000'000'000'000'000);
    for (const size_t place : sent_at_) {
      std::memcpy(text_.data() + place, stamp.data(), stamp.size());
      std::memcpy(text_.data() + place + stamp.size() + 18, time.data(), time.size());
    }
  }

  /// Gives every record another URL, numbered from `first` on.
  void SetUrls(uint64_t first) {
    for (const size_t place : url_at_) {
      const std::string url = fmt::format("{:09}", first++ % 1'000'000'000);
      std::memcpy(text_.data() + place, url.data(), url.size());
    }
  }

  const std::string& text() const { return text_; }
  size_t rows() const { return rows_; }

 private:
  std::string text_;
  std::vector<size_t> url_at_;
  std::vector<size_t> sent_at_;
  size_t rows_ = 0;
};

constexpr Micros kBaseTime = 1'767'225'600'000'000;

void RunThroughput(const Options& options) {
  const SystemClock clock;
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<bool> running{true};
  const auto start = clock.Monotonic();
  std::vector<Thread> threads;
  for (int i = 0; i < options.connections; ++i) {
    threads.emplace_back(fmt::format("load-{}", i), [&, i] {
      Rng rng(static_cast<uint64_t>(i));
      std::vector<Body> bodies;
      for (int n = 0; n < 8; ++n) {
        bodies.emplace_back(rng, options.body_bytes, SIZE_MAX, options.urls);
      }
      Connection connection(options.port);
      for (size_t n = 0; running.load(std::memory_order_relaxed); ++n) {
        Body& body = bodies[n % bodies.size()];
        const Micros now = (clock.Monotonic() - start).count() / 1000;
        body.SetTime(kBaseTime + now, now);
        const uint64_t first = rows.fetch_add(body.rows());
        if (options.distinct) {
          body.SetUrls(options.first_url + first);
        }
        connection.Post(body.text());
        bytes += body.text().size();
      }
    });
  }
  const auto end = start + std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::duration<double>(options.seconds));
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  while (clock.Monotonic() < end) {
    never.WaitFor(mutex, std::chrono::milliseconds(20));
  }
  running = false;
  threads.clear();
  const double seconds = std::chrono::duration<double>(clock.Monotonic() - start).count();
  const double millions = static_cast<double>(rows) / 1e6;
  fmt::print("{{\"events\":{},\"bytes\":{},\"seconds\":{:.3f},\"events_per_second\":{:.0f}}}\n",
             rows.load(), bytes.load(), seconds, millions * 1e6 / seconds);
}

/// Reads change events of last_sent and notes how long ago each was sent.
void ReadLatencies(const Options& options, const Clock& clock, std::chrono::nanoseconds start,
                   const std::atomic<bool>& running, std::vector<Micros>& latencies) {
  Connection connection(options.port);
  connection.Send("GET /api/v1/views/last_sent/changes HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string text;
  while (running.load(std::memory_order_relaxed)) {
    if (!connection.Readable(50)) {
      continue;
    }
    text += connection.Receive();
    const Micros now = (clock.Monotonic() - start).count() / 1000;
    size_t line = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', line)) {
      const auto event = std::string_view(text).substr(line, end - line);
      const size_t sent = event.find("\"sent\":");
      if (event.find("\"weight\":1,") != std::string_view::npos && sent != std::string_view::npos) {
        latencies.push_back(now - (std::atoll(event.data() + sent + 7) - 1'000'000'000'000'000));
      }
      line = end + 1;
    }
    text.erase(0, line);
  }
}

/// Posts request number `first`, `first` + `step`, ... each at its time.
void PostAtRate(const Options& options, const Clock& clock, std::chrono::nanoseconds start,
                int first, std::atomic<uint64_t>& requests) {
  Rng rng(static_cast<uint64_t>(first));
  Connection connection(options.port);
  const std::chrono::nanoseconds period(int64_t{1'000'000'000} * options.request_rows /
                                        options.rate);
  Body body(rng, SIZE_MAX, static_cast<size_t>(options.request_rows), 1'000'000);
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  for (int64_t n = first;; n += options.connections) {
    const auto due = start + period * n;
    if (std::chrono::duration<double>(due - start).count() >= options.seconds) {
      return;
    }
    while (clock.Monotonic() < due) {
      never.WaitFor(mutex, due - clock.Monotonic());
    }
    // The time it was due: a late sender must not make the server look faster.
    const Micros due_micros = (due - start).count() / 1000;
    body.SetTime(kBaseTime + due_micros, due_micros);
    connection.Post(body.text());
    ++requests;
  }
}

void RunLatency(const Options& options) {
  const SystemClock clock;
  const auto start = clock.Monotonic();
  std::atomic<bool> running{true};
  std::atomic<uint64_t> requests{0};
  std::vector<Micros> latencies;
  Thread reader("reader", [&] { ReadLatencies(options, clock, start, running, latencies); });
  {
    std::vector<Thread> senders;
    for (int i = 0; i < options.connections; ++i) {
      senders.emplace_back(fmt::format("load-{}", i),
                           [&, i] { PostAtRate(options, clock, start, i, requests); });
    }
  }
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.WaitFor(mutex, std::chrono::milliseconds(300));
  running = false;
  reader.Join();
  std::ranges::sort(latencies);
  const auto quantile = [&](double q) {
    return latencies.empty()
               ? 0
               : latencies[static_cast<size_t>(q * static_cast<double>(latencies.size() - 1))];
  };
  fmt::print(
      "{{\"requests\":{},\"changes\":{},\"p50_us\":{},\"p90_us\":{},\"p99_us\":{},\"max_us\":{}}}"
      "\n",
      requests.load(), latencies.size(), quantile(0.5), quantile(0.9), quantile(0.99), quantile(1));
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::Options options;
  CLI::App app("Load over HTTP for benchmarks");
  app.add_option("--port", options.port)->required();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--body-bytes", options.body_bytes)->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--urls", options.urls)->capture_default_str();
  app.add_flag("--distinct", options.distinct, "Give every record a URL of its own");
  app.add_option("--first-url", options.first_url)->capture_default_str();
  app.add_option("--rate", options.rate, "Events per second: measures latency")
      ->capture_default_str();
  app.add_option("--request-rows", options.request_rows)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (options.rate > 0) {
    millrace::RunLatency(options);
  } else {
    millrace::RunThroughput(options);
  }
  return 0;
}
