// The server's own cost of receiving ingest requests: keep-alive connections that post bodies of
// 256 KiB, a handler that only answers. Reports the processor time of the server's thread alone.

#include <sys/resource.h>

#include <atomic>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "millrace/base/thread.h"
#include "millrace/serve/http_testing.h"

namespace millrace::serve {
namespace {

double Micros(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

void BmReceive(benchmark::State& state) {
  constexpr int kRequestsPerClient = 250;
  const auto clients_count = static_cast<size_t>(state.range(1));
  const std::string request =
      MakeRequest("POST", "/sink", "", std::string(static_cast<size_t>(state.range(0)), 'x'));
  std::atomic<double> user{0};
  std::atomic<double> system{0};
  Router router;
  router.Add(Method::kPost, "/sink", Access::kWrite, [](RequestPtr, ResponderPtr responder) {
    responder->Send({.body = "{\"accepted\":1}", .headers = {}});
  });
  router.Add(Method::kGet, "/cpu", Access::kRead, [&](RequestPtr, ResponderPtr responder) {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    user = Micros(usage.ru_utime);
    system = Micros(usage.ru_stime);
    responder->Send({.body = "", .headers = {}});
  });
  TestServer server(std::move(router), {.threads_count = 1});
  TestClient probe = server.Connect();
  double user_micros = 0;
  double system_micros = 0;
  for (auto _ : state) {
    probe.Exchange(MakeRequest("GET", "/cpu"));
    user_micros -= user;
    system_micros -= system;
    {
      std::vector<Thread> threads;
      threads.reserve(clients_count);
      for (size_t i = 0; i < clients_count; ++i) {
        threads.emplace_back("client", [&] {
          TestClient client = server.Connect();
          for (int n = 0; n < kRequestsPerClient; ++n) {
            client.Exchange(request);
          }
        });
      }
    }
    probe.Exchange(MakeRequest("GET", "/cpu"));
    user_micros += user;
    system_micros += system;
  }
  const double requests = static_cast<double>(state.iterations()) * kRequestsPerClient *
                          static_cast<double>(clients_count);
  state.counters["user_us"] = user_micros / requests;
  state.counters["system_us"] = system_micros / requests;
  state.counters["requests"] = benchmark::Counter(requests, benchmark::Counter::kIsRate);
  state.SetBytesProcessed(static_cast<int64_t>(requests) * state.range(0));
}
BENCHMARK(BmReceive)
    ->Args({262'144, 4})
    ->Args({4'600, 4})
    ->Args({100, 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace::serve
