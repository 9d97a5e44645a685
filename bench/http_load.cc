// Load over HTTP against a running Millrace: throughput with large bodies, or the time from a post
// to its change on the event stream at a fixed rate. One process on the same machine; loopback
// only.

#include "millrace/cli/http_load.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/check.h"
#include "millrace/base/clock.h"
#include "millrace/base/mutex.h"
#include "millrace/base/thread.h"

namespace millrace {
namespace {

constexpr int kLatencyUrls = 1'000'000;
constexpr std::chrono::milliseconds kLastChanges{300};

LoadReport RunOrEnd(const LoadPlan& plan, const Clock& clock) {
  auto report = RunLoad(plan, clock);
  MR_CHECK(report.has_value(), "{}", report.error().ToString());
  return *std::move(report);
}

void RunThroughput(const LoadPlan& plan) {
  const SystemClock clock;
  const LoadReport report = RunOrEnd(plan, clock);
  fmt::print("{{\"events\":{},\"bytes\":{},\"seconds\":{:.3f},\"events_per_second\":{:.0f}}}\n",
             report.events, report.bytes, report.seconds,
             static_cast<double>(report.events) / report.seconds);
}

/// Reads change events of last_sent and notes how long ago each was due.
void ReadLatencies(const LoadPlan& plan, const Clock& clock, std::chrono::nanoseconds start,
                   const std::atomic<bool>& running, std::vector<Micros>& latencies) {
  auto connection = LoadConnection::Open(plan.host, plan.port);
  MR_CHECK(connection.has_value(), "{}", connection.error().ToString());
  MR_CHECK(
      connection->Send("GET /api/v1/views/last_sent/changes HTTP/1.1\r\n"
                       "Host: localhost\r\n\r\n"));
  std::string text;
  while (running.load(std::memory_order_relaxed)) {
    if (!connection->IsReadable(50)) {
      continue;
    }
    const auto piece = connection->Receive();
    MR_CHECK(piece.has_value(), "{}", piece.error().ToString());
    text += *piece;
    const Micros now = (clock.Monotonic() - start).count() / 1000;
    size_t line = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', line)) {
      const auto event = std::string_view(text).substr(line, end - line);
      const size_t sent = event.find("\"sent\":");
      if (event.find("\"weight\":1,") != std::string_view::npos && sent != std::string_view::npos) {
        latencies.push_back(now - LoadBody::DueOf(std::atoll(event.data() + sent + 7)));
      }
      line = end + 1;
    }
    text.erase(0, line);
  }
}

void RunLatency(LoadPlan plan) {
  const SystemClock clock;
  std::atomic<bool> running{true};
  std::vector<Micros> latencies;
  plan.start = clock.Monotonic();
  Thread reader("reader", [&] { ReadLatencies(plan, clock, *plan.start, running, latencies); });
  const LoadReport report = RunOrEnd(plan, clock);
  Mutex mutex;
  CondVar never;
  {
    MutexLock lock(mutex);
    never.WaitFor(mutex, kLastChanges);
  }
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
      report.requests, latencies.size(), quantile(0.5), quantile(0.9), quantile(0.99), quantile(1));
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  millrace::LoadPlan plan;
  plan.stream = "clicks";
  int urls = 1000;
  CLI::App app("Load over HTTP for benchmarks");
  app.add_option("--port", plan.port)->required();
  app.add_option("--connections", plan.connections)->capture_default_str();
  app.add_option("--body-bytes", plan.body_bytes)->capture_default_str();
  app.add_option("--seconds", plan.seconds)->capture_default_str();
  app.add_option("--urls", urls)->capture_default_str();
  app.add_flag("--distinct", plan.distinct_keys, "Give every record a URL of its own");
  app.add_option("--first-url", plan.first_key)->capture_default_str();
  app.add_option("--rate", plan.rate, "Events per second: measures latency")->capture_default_str();
  app.add_option("--request-rows", plan.request_records)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (plan.rate > 0) {
    plan.make_record = millrace::MakeClicks(millrace::kLatencyUrls);
    millrace::RunLatency(std::move(plan));
  } else {
    plan.make_record = millrace::MakeClicks(urls);
    millrace::RunThroughput(plan);
  }
  return 0;
}
