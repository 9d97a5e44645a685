#include "millrace/cli/http_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {

namespace {

constexpr size_t kBodiesPerConnection = 8;
constexpr size_t kLatenciesMax = 1'000'000;

std::unexpected<Error> Failed(std::string_view what) {
  return Err(ErrorCode::kServerUnreachable, fmt::format("{}: {}", what, strerrordesc_np(errno)));
}

/// The Content-Length of a head; nothing when there is none.
std::optional<size_t> LengthOf(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const size_t at = head.find(kName);
  size_t length = 0;
  const char* const begin = head.data() + at + kName.size();
  const bool valid = at != std::string_view::npos &&
                     std::from_chars(begin, head.data() + head.size(), length).ec == std::errc();
  return valid ? std::optional(length) : std::nullopt;
}

/// What all connections of a run share.
class LoadRun {
 public:
  LoadRun(const LoadPlan& plan, const Clock& clock)
      : plan_(plan), clock_(clock), start_(plan.start.value_or(clock.Monotonic())) {}

  /// One connection's thread.
  void Send(int index) {
    const Status sent = plan_.rate > 0 ? SendAtRate(index) : SendAtOnce(index);
    if (!sent) {
      MutexLock lock(mutex_);
      if (!failure_) {
        failure_ = sent.error();
      }
      wakeup_.NotifyAll();
    }
  }

  Result<LoadReport> Finish() {
    MutexLock lock(mutex_);
    if (failure_) {
      return Err(*failure_);
    }
    report_.seconds = std::chrono::duration<double>(clock_.Monotonic() - start_).count();
    std::ranges::sort(report_.latencies);
    return std::move(report_);
  }

 private:
  Micros Since() const { return (clock_.Monotonic() - start_).count() / 1000; }
  bool IsOver() const {
    return std::chrono::duration<double>(clock_.Monotonic() - start_).count() >= plan_.seconds;
  }

  std::string Head(size_t length) const {
    const std::string auth =
        plan_.token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", plan_.token);
    return fmt::format(
        "POST /api/v1/streams/{}/records HTTP/1.1\r\nHost: {}:{}\r\n{}"
        "Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        plan_.stream, plan_.host, plan_.port, auth, length);
  }

  Status Post(LoadConnection& connection, LoadBody& body, Micros due) {
    body.SetTime(due, due);
    if (plan_.distinct_keys) {
      body.SetKeys(plan_.first_key + keys_.fetch_add(body.records()));
    }
    MR_TRY(connection.Exchange(Head(body.text().size()), body.text()));
    const Micros latency = Since() - due;
    MutexLock lock(mutex_);
    report_.events += body.records();
    report_.bytes += body.text().size();
    ++report_.requests;
    if (report_.latencies.size() < kLatenciesMax) {
      report_.latencies.push_back(latency);
    }
    return {};
  }

  Status SendAtOnce(int index) {
    Rng rng(static_cast<uint64_t>(index));
    std::vector<LoadBody> bodies;
    bodies.reserve(kBodiesPerConnection);
    for (size_t i = 0; i < kBodiesPerConnection; ++i) {
      bodies.push_back(MakeLoadBody(plan_.make_record, rng, plan_.body_bytes, SIZE_MAX));
    }
    MR_ASSIGN(LoadConnection connection, LoadConnection::Open(plan_.host, plan_.port));
    for (size_t n = 0; !IsOver() && !HasFailed(); ++n) {
      MR_TRY(Post(connection, bodies[n % bodies.size()], Since()));
    }
    return {};
  }

  /// Requests number `index`, `index` + connections, ... each at its time. Latencies count from
  /// that time: a late sender must not make the server look faster.
  Status SendAtRate(int index) {
    Rng rng(static_cast<uint64_t>(index));
    LoadBody body =
        MakeLoadBody(plan_.make_record, rng, SIZE_MAX, static_cast<size_t>(plan_.request_records));
    MR_ASSIGN(LoadConnection connection, LoadConnection::Open(plan_.host, plan_.port));
    const std::chrono::nanoseconds period(int64_t{1'000'000'000} * plan_.request_records /
                                          plan_.rate);
    for (int64_t n = index;; n += plan_.connections) {
      const auto due = period * n;
      if (std::chrono::duration<double>(due).count() >= plan_.seconds || !WaitUntil(start_ + due)) {
        return {};
      }
      MR_TRY(Post(connection, body, due.count() / 1000));
    }
  }

  /// False when another connection has failed meanwhile.
  bool WaitUntil(std::chrono::nanoseconds time) {
    MutexLock lock(mutex_);
    while (!failure_ && clock_.Monotonic() < time) {
      wakeup_.WaitFor(mutex_, time - clock_.Monotonic());
    }
    return !failure_;
  }

  bool HasFailed() {
    MutexLock lock(mutex_);
    return failure_.has_value();
  }

  const LoadPlan& plan_;
  const Clock& clock_;
  const std::chrono::nanoseconds start_;
  std::atomic<uint64_t> keys_{0};
  Mutex mutex_;
  CondVar wakeup_;
  LoadReport report_ MR_GUARDED_BY(mutex_);
  std::optional<Error> failure_ MR_GUARDED_BY(mutex_);
};

}  // namespace

Result<LoadConnection> LoadConnection::Open(const std::string& host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return Err(ErrorCode::kServerUnreachable, fmt::format("{} is not an IPv4 address", host));
  }
  LoadConnection connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  setsockopt(connection.fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(connection.fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed(fmt::format("cannot connect to {}:{}", host, port));
  }
  return connection;
}

LoadConnection::LoadConnection(LoadConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

LoadConnection& LoadConnection::operator=(LoadConnection&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  return *this;
}

LoadConnection::~LoadConnection() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

Status LoadConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) {
      return Failed("cannot send");
    }
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

Result<std::string_view> LoadConnection::Receive() {
  const ssize_t size = recv(fd_, buffer_.data(), buffer_.size(), 0);
  if (size <= 0) {
    return size < 0 ? Failed("cannot receive")
                    : Err(ErrorCode::kServerUnreachable, "the server closed the connection");
  }
  return std::string_view(buffer_.data(), static_cast<size_t>(size));
}

bool LoadConnection::IsReadable(int timeout_ms) const {
  pollfd poll_fd{.fd = fd_, .events = POLLIN, .revents = 0};
  return poll(&poll_fd, 1, timeout_ms) > 0;
}

Status LoadConnection::Exchange(std::string_view head, std::string_view body) {
  MR_TRY(Send(head));
  MR_TRY(Send(body));
  std::string answer;
  while (true) {
    const size_t head_end = answer.find("\r\n\r\n");
    const auto length =
        head_end == std::string::npos ? std::nullopt : LengthOf(answer.substr(0, head_end));
    if (head_end != std::string::npos && !length) {
      return Err(ErrorCode::kServerUnreachable, "the server's answer has no length");
    }
    if (length && answer.size() >= head_end + 4 + *length) {
      break;
    }
    MR_ASSIGN(const std::string_view piece, Receive());
    answer += piece;
  }
  return answer.starts_with("HTTP/1.1 200")
             ? Status()
             : Err(ErrorCode::kServerUnreachable,
                   fmt::format("the server answered {}", answer.substr(9, 1000)));
}

Micros LoadReport::Latency(double q) const {
  return latencies.empty()
             ? 0
             : latencies[static_cast<size_t>(q * static_cast<double>(latencies.size() - 1))];
}

Result<LoadReport> RunLoad(const LoadPlan& plan, const Clock& clock) {
  LoadRun run(plan, clock);
  std::vector<Thread> threads;
  threads.reserve(static_cast<size_t>(plan.connections));
  for (int i = 0; i < plan.connections; ++i) {
    threads.emplace_back(fmt::format("mr-load-{}", i), [&run, i] { run.Send(i); });
  }
  threads.clear();  // Joins.
  return run.Finish();
}

}  // namespace millrace
