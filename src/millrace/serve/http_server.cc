#include "millrace/serve/http_server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "millrace/base/mutex.h"
#include "millrace/base/rng.h"
#include "millrace/base/thread.h"
#include "millrace/serve/http_connection.h"

namespace millrace::serve {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n"
    "Retry-After: 1\r\n\r\n";

class TcpStream final : public ByteStream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {}

  void SetOwner(std::weak_ptr<Owner> owner) override { owner_ = std::move(owner); }

  void ReadSome(std::span<char> into) override {
    socket_.async_read_some(asio::buffer(into.data(), into.size()),
                            [owner = owner_.lock()](const SystemError& error, size_t size) {
                              owner->OnRead(error ? 0 : size);
                            });
  }

  void WriteSome(std::string_view first, std::string_view second) override {
    const std::array<asio::const_buffer, 2> pieces{asio::buffer(first.data(), first.size()),
                                                   asio::buffer(second.data(), second.size())};
    socket_.async_write_some(pieces,
                             [owner = owner_.lock()](const SystemError& error, size_t size) {
                               owner->OnWritten(error ? 0 : size);
                             });
  }

  void ShutdownSend() override {
    SystemError ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void Close() override {
    SystemError ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
  std::weak_ptr<Owner> owner_;
};

/// The number of open connections over all loops. Thread-safe.
class ConnectionCount {
 public:
  /// False when there are `max` already.
  bool TryAdd(size_t max) MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (count_ >= max) {
      return false;
    }
    ++count_;
    return true;
  }

  void Remove(size_t closed) MR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    count_ -= closed;
    if (count_ == 0) {
      none_.NotifyAll();
    }
  }

  void WaitForNone(std::chrono::nanoseconds timeout) MR_EXCLUDES(mutex_) {
    const SystemClock clock;
    const auto end = clock.Monotonic() + timeout;
    MutexLock lock(mutex_);
    while (count_ > 0 && clock.Monotonic() < end) {
      none_.WaitFor(mutex_, end - clock.Monotonic());
    }
  }

 private:
  Mutex mutex_;
  CondVar none_;
  size_t count_ MR_GUARDED_BY(mutex_) = 0;
};

/// One thread and its connections.
class Loop {
 public:
  Loop(ConnectionContext& context, ConnectionCount& connections_count)
      : context_(context),
        connections_count_(connections_count),
        work_(asio::make_work_guard(io_)),
        timer_(io_),
        mailbox_(std::make_shared<LoopMailbox>(io_)) {}

  asio::io_context& io() { return io_; }

  void Start(int index) {
    ArmTick();
    thread_ = Thread(fmt::format("http-{}", index), [this] { io_.run(); });
  }

  /// On any thread.
  void Add(tcp::socket socket) {
    // std::function wants a copyable capture.
    auto shared = std::make_shared<tcp::socket>(std::move(socket));
    mailbox_->Post([this, shared] {
      if (is_stopping_) {
        connections_count_.Remove(1);
        return;
      }
      auto connection = std::make_shared<HttpConnection>(
          context_, std::make_unique<TcpStream>(std::move(*shared)), mailbox_);
      connection->Start();
      connections_.push_back(std::move(connection));
    });
  }

  void BeginStop() {
    mailbox_->Post([this] {
      is_stopping_ = true;
      for (const auto& connection : connections_) {
        connection->BeginStop();
      }
      timer_.cancel();
    });
  }

  /// Ends the thread, closes all connections and runs what their ends leave to do.
  void Finish() {
    mailbox_->Close();
    io_.stop();
    thread_.Join();
    for (const auto& connection : connections_) {
      connection->Abort();
    }
    timer_.cancel();
    work_.reset();
    io_.restart();
    io_.run();
    connections_count_.Remove(std::exchange(connections_, {}).size());
  }

 private:
  class LoopMailbox final : public Mailbox {
   public:
    explicit LoopMailbox(asio::io_context& io) : io_(&io) {}

    bool Post(std::function<void()> function) override {
      MutexLock lock(mutex_);
      if (is_closed_) {
        return false;
      }
      asio::post(*io_, std::move(function));
      return true;
    }

    bool IsCurrent() const override {
      MutexLock lock(mutex_);
      return !is_closed_ && io_->get_executor().running_in_this_thread();
    }

    void Close() {
      MutexLock lock(mutex_);
      is_closed_ = true;
    }

   private:
    mutable Mutex mutex_;
    asio::io_context* const io_;
    bool is_closed_ MR_GUARDED_BY(mutex_) = false;
  };

  void ArmTick() {
    constexpr std::chrono::milliseconds kStoppingTick{5};
    timer_.expires_after(is_stopping_ ? kStoppingTick : context_.options.tick);
    timer_.async_wait([this](const SystemError&) {
      if (mailbox_->IsCurrent()) {
        Tick();
        ArmTick();
      }
    });
  }

  void Tick() {
    for (const auto& connection : connections_) {
      connection->Tick();
    }
    const size_t closed =
        std::erase_if(connections_, [](const auto& connection) { return connection->closed(); });
    if (closed > 0) {
      connections_count_.Remove(closed);
    }
  }

  ConnectionContext& context_;
  ConnectionCount& connections_count_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer timer_;
  std::shared_ptr<LoopMailbox> mailbox_;
  std::vector<std::shared_ptr<HttpConnection>> connections_;
  bool is_stopping_ = false;
  Thread thread_;
};

uint32_t RandomTag() {
  uint32_t tag = 0;
  FillRandomBytes(&tag, sizeof(tag));
  return tag;
}

}  // namespace

/// Everything that runs between Start and Stop.
class HttpServer::Loops {
 public:
  Loops(const HttpServer& server, bool is_open)
      : host_policy_(is_open, server.options_.host_names),
        context_{.options = server.options_,
                 .router = server.router_,
                 .authenticator = server.authenticator_,
                 .host_policy = host_policy_,
                 .clock = server.clock_,
                 .metrics = server.metrics_,
                 .memory = std::make_shared<BodyMemory>(server.options_.body_memory_bytes),
                 .server_tag = RandomTag()} {
    for (int i = 0; i < server.options_.threads_count; ++i) {
      loops_.push_back(std::make_unique<Loop>(context_, connections_count_));
    }
  }

  Result<ListenAddress> Listen(const ListenAddress& address) {
    SystemError error;
    const tcp::endpoint endpoint(asio::ip::make_address(address.host, error), address.port);
    auto& listener = *listeners_.emplace_back(std::make_unique<Listener>(loops_[0]->io()));
    tcp::acceptor& acceptor = listener.acceptor;
    if (!error) {
      acceptor.open(endpoint.protocol(), error);
    }
    if (!error) {
      acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error && endpoint.address().is_v6()) {
      acceptor.set_option(asio::ip::v6_only(false), error);
    }
    if (!error) {
      acceptor.bind(endpoint, error);
    }
    if (!error) {
      acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      return Err(ErrorCode::kListenFailed,
                 fmt::format("{}: {}", address.ToString(), error.message()));
    }
    return ListenAddress{.host = address.host, .port = acceptor.local_endpoint(error).port()};
  }

  void Start() {
    for (const auto& listener : listeners_) {
      Accept(*listener);
    }
    for (size_t i = 0; i < loops_.size(); ++i) {
      loops_[i]->Start(static_cast<int>(i));
    }
  }

  void Stop(std::chrono::milliseconds grace) {
    // Until the acceptors are closed on their own thread, new connections are closed at once.
    is_stopping_ = true;
    asio::post(loops_[0]->io(), [this] {
      for (const auto& listener : listeners_) {
        SystemError ignored;
        listener->acceptor.close(ignored);
        listener->retry.cancel();
      }
    });
    for (const auto& loop : loops_) {
      loop->BeginStop();
    }
    connections_count_.WaitForNone(grace);
    for (const auto& loop : loops_) {
      loop->Finish();
    }
  }

 private:
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), retry(io) {}

    tcp::acceptor acceptor;
    asio::steady_timer retry;
  };

  /// Accepts for the next loop in turn, and again.
  void Accept(Listener& listener) {
    Loop& loop = *loops_[next_loop_++ % loops_.size()];
    listener.acceptor.async_accept(
        loop.io(), [this, &listener, &loop](const SystemError& error, tcp::socket socket) {
          if (is_stopping_ || error == asio::error::operation_aborted) {
            return;
          }
          if (error) {
            // Out of descriptors, most likely: accepting again at once would only burn a processor.
            listener.retry.expires_after(kAcceptRetry);
            listener.retry.async_wait([this, &listener](const SystemError& cancelled) {
              if (!cancelled) {
                Accept(listener);
              }
            });
            return;
          }
          Take(loop, std::move(socket));
          Accept(listener);
        });
  }

  void Take(Loop& loop, tcp::socket socket) {
    SystemError ignored;
    if (!connections_count_.TryAdd(context_.options.connections_max)) {
      context_.metrics.CountRejection(Rejection::kConnections);
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(kTooManyConnections.data(), kTooManyConnections.size()),
                        ignored);
      socket.close(ignored);
      return;
    }
    socket.set_option(tcp::no_delay(true), ignored);
    loop.Add(std::move(socket));
  }

  const HostPolicy host_policy_;
  ConnectionContext context_;
  ConnectionCount connections_count_;
  std::atomic<bool> is_stopping_{false};
  size_t next_loop_ = 0;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

HttpServer::HttpServer(HttpServerOptions options, const Router& router,
                       const Authenticator& authenticator, const Clock& clock, HttpMetrics& metrics)
    : options_(std::move(options)),
      router_(router),
      authenticator_(authenticator),
      clock_(clock),
      metrics_(metrics) {}

HttpServer::~HttpServer() { Stop(std::chrono::milliseconds(0)); }

Result<std::vector<ListenAddress>> HttpServer::Start() {
  MR_TRY(CheckHttpOptions(options_, authenticator_.requires_token()));
  std::vector<ListenAddress> addresses;
  for (const std::string& text : options_.listen) {
    MR_ASSIGN(auto address, ListenAddress::Parse(text));
    addresses.push_back(std::move(address));
  }
  auto loops =
      std::make_unique<Loops>(*this, IsBeyondLoopback(options_) && options_.host_names.empty());
  for (ListenAddress& address : addresses) {
    MR_ASSIGN(address, loops->Listen(address));
  }
  loops->Start();
  loops_ = std::move(loops);
  return addresses;
}

void HttpServer::Stop(std::chrono::milliseconds grace) {
  if (loops_ != nullptr) {
    loops_->Stop(grace);
    loops_.reset();
  }
}

}  // namespace millrace::serve
