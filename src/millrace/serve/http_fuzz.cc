// Feeds bytes to a connection as a client would send them: framing, gzip, routing and parameters,
// down to services that answer at once. No sockets. The first byte says how the input is cut into
// reads.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>

#include "millrace/serve/event_text.h"
#include "millrace/serve/http_connection.h"
#include "millrace/serve/routes/routes.h"

namespace millrace::serve {
namespace {

/// Runs what connections post and the callbacks of their streams, in order.
class Queue final : public Mailbox {
 public:
  bool Post(std::function<void()> function) override {
    functions_.push_back(std::move(function));
    return true;
  }
  bool IsCurrent() const override { return true; }

  void Run() {
    while (!functions_.empty()) {
      const auto function = std::move(functions_.front());
      functions_.pop_front();
      function();
    }
  }

 private:
  std::deque<std::function<void()>> functions_;
};

/// Plays the bytes of the input and checks the shape of what is written.
class InputStream final : public ByteStream {
 public:
  InputStream(std::string_view input, size_t step, Queue& queue)
      : input_(input), step_(step), queue_(queue) {}

  void SetOwner(std::weak_ptr<Owner> owner) override { owner_ = std::move(owner); }

  void ReadSome(std::span<char> into) override {
    if (into.empty()) {
      std::abort();
    }
    queue_.Post([this, into, owner = owner_.lock()] {
      const size_t size = is_closed_ ? 0 : std::min({into.size(), input_.size(), step_});
      std::ranges::copy(input_.substr(0, size), into.begin());
      input_.remove_prefix(size);
      owner->OnRead(size);
    });
  }

  void WriteSome(std::string_view first, std::string_view second) override {
    if (is_closed_ || first.size() + second.size() == 0) {
      std::abort();
    }
    const size_t size = std::min(first.size() + second.size(), step_);
    queue_.Post([this, size, owner = owner_.lock()] { owner->OnWritten(is_closed_ ? 0 : size); });
  }

  void ShutdownSend() override {}
  void Close() override { is_closed_ = true; }

 private:
  std::string_view input_;
  const size_t step_;
  Queue& queue_;
  std::weak_ptr<Owner> owner_;
  bool is_closed_ = false;
};

class OneEvent final : public EventSource {
 public:
  void Start(std::function<void()> wake) override { wake(); }
  Chunk Next(size_t) override {
    std::string bytes;
    AppendEvent(bytes, "change", "1", "{}");
    return {.bytes = std::move(bytes), .is_end = true, .gaps_count = 0};
  }
};

class Services final : public IngestService,
                       public ReplayService,
                       public QueryService,
                       public ChangeFeedService,
                       public StatusService {
 public:
  void Submit(IngestRequest request, std::function<void(Result<IngestAnswer>)> done) override {
    for (size_t i = 0; i < RequestBody::kPadding; ++i) {
      if (*(request.body.text().data() + request.body.size() + i) != 0) {
        std::abort();
      }
    }
    done(IngestAnswer{.accepted = request.body.size(),
                      .errors_count = 0,
                      .errors = {},
                      .positions = {},
                      .position = request.idempotency_key.value_or("")});
  }
  void ListStreams(QueryService::Done done) override { done("[]"); }
  void DescribeStream(std::string stream, QueryService::Done done) override {
    done(Err(ErrorCode::kStreamNotFound, std::move(stream)));
  }
  void ReadRecords(RecordsQuery query, QueryService::Done done) override {
    done(std::move(query.from));
  }
  void ListViews(QueryService::Done done) override { done("[]"); }
  void QueryView(ViewQuery query, QueryService::Done done) override {
    done(Err(ErrorCode::kSqlUnknownColumn,
             query.filters.empty() ? "" : std::move(query.filters[0].text)));
  }
  void Open(FeedRequest, ChangeFeedService::Done done) override {
    done(std::make_unique<OneEvent>());
  }
  void Replay(std::string stream, ReplayService::Done done) override {
    done(Err(ErrorCode::kStreamNotFound, std::move(stream)));
  }
  HealthReport Health() override { return {.is_healthy = true, .json = "{}"}; }
  Status Ready() override { return {}; }
  std::string Metrics() override { return "up 1\n"; }
};

/// Everything that does not depend on the input.
struct Fixture {
  Fixture()
      : authenticator(*Authenticator::Create({})), host_policy(false, {}), metrics(MakeRouter()) {}

  Router& MakeRouter() {
    AddIngestRoutes(router, services);
    AddReplayRoutes(router, services);
    AddStreamRoutes(router, services);
    AddViewRoutes(router, services);
    AddChangeRoutes(router, services);
    AddStatusRoutes(router, services);
    options.body = {.wire_bytes_max = 1 << 20, .decoded_bytes_max = 1 << 20, .ratio_max = 100};
    return router;
  }

  Services services;
  Router router;
  HttpServerOptions options;
  const Authenticator authenticator;
  const HostPolicy host_policy;
  ManualClock clock;
  HttpMetrics metrics;
};

void RunInput(std::string_view input, size_t step) {
  static Fixture fixture;
  ConnectionContext context{.options = fixture.options,
                            .router = fixture.router,
                            .authenticator = fixture.authenticator,
                            .host_policy = fixture.host_policy,
                            .clock = fixture.clock,
                            .metrics = fixture.metrics,
                            .memory = std::make_shared<BodyMemory>(size_t{1} << 20),
                            .server_tag = 1};
  const auto queue = std::make_shared<Queue>();
  {
    const auto connection = std::make_shared<HttpConnection>(
        context, std::make_unique<InputStream>(input, step, *queue), queue);
    connection->Start();
    queue->Run();
    if (!connection->closed()) {
      std::abort();
    }
  }
  if (context.memory->charged_bytes() != 0 || fixture.metrics.requests_in_flight != 0 ||
      fixture.metrics.event_streams != 0 || fixture.metrics.connections != 0) {
    std::abort();
  }
}

}  // namespace
}  // namespace millrace::serve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const size_t step = data[0] % 2 == 0 ? input.size() : data[0];
    millrace::serve::RunInput(input.substr(1), step);
  }
  return 0;
}
