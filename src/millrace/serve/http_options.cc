#include "millrace/serve/http_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/serve/listen_address.h"

namespace millrace::serve {

namespace {

using Options = HttpServerOptions;

Status CheckAddresses(const Options& options) {
  if (options.listen.empty()) {
    return Err(ErrorCode::kConfigInvalidValue, "expected an address such as 127.0.0.1:8080");
  }
  for (const std::string& text : options.listen) {
    MR_TRY(ListenAddress::Parse(text));
  }
  return {};
}

void AddLimits(OptionTable<Options>& table) {
  table.Add("http.threads", &Options::threads_count, "Event loops, each a thread.")
      .Between("1", "256");
  table
      .Add("http.connections_max", &Options::connections_max, "Open connections; more are refused.")
      .Between("1", "1000000");
  table.AddBytes("http.header_bytes_max", &Options::header_bytes_max, "Largest request head.")
      .Between("1 KiB", "1 MiB");
  table
      .AddBytes(
          "http.body_bytes_max", [](auto& o) -> auto& { return o.body.wire_bytes_max; },
          "Largest request body, as sent.")
      .Between("1 KiB", "1 GiB");
  table
      .AddBytes(
          "http.decoded_bytes_max", [](auto& o) -> auto& { return o.body.decoded_bytes_max; },
          "Largest request body, decompressed.")
      .Between("1 KiB", "2 GiB");
  table
      .Add(
          "http.decoded_ratio_max", [](auto& o) -> auto& { return o.body.ratio_max; },
          "Largest ratio of decompressed to compressed bytes, beyond the first MiB.")
      .Between("1", "1100");
  table
      .AddBytes("http.body_memory_bytes", &Options::body_memory_bytes,
                "Memory of all request bodies together; others wait, then get status 503.")
      .Between("1 MiB", "1 TiB");
}

void AddTimes(OptionTable<Options>& table) {
  const auto add = [&](const std::string& name, std::chrono::milliseconds Options::* member,
                       const std::string& help) {
    table.Add(std::move(name), member, std::move(help)).Between("10 ms", "1 d");
  };
  add("http.head_timeout", &Options::head_timeout, "Time for a request head.");
  add("http.body_timeout", &Options::body_timeout, "Time for a request body, besides its size.");
  table
      .AddBytes("http.body_bytes_per_second_min", &Options::body_bytes_per_second_min,
                "Each so many received bytes add a second to body_timeout.")
      .Between("1 B", "1 GiB");
  add("http.memory_timeout", &Options::memory_timeout, "Time a body may wait for memory.");
  add("http.idle_timeout", &Options::idle_timeout, "Time between requests of a connection.");
  add("http.write_timeout", &Options::write_timeout, "Time without progress of an answer.");
  add("http.event_heartbeat", &Options::event_heartbeat,
      "Time between comments on an event stream without events.");
}

}  // namespace

const OptionTable<HttpServerOptions>& HttpOptionTable() {
  static const OptionTable<Options> kTable = [] {
    OptionTable<Options> table;
    table
        .Add("http.listen", &Options::listen,
             "Addresses and ports; beyond loopback only with auth.tokens or insecure.")
        .Check(CheckAddresses);
    table.Add("insecure", &Options::insecure,
              "Allows anybody who reaches the address to do everything.");
    table.Add("http.host_names", &Options::host_names,
              "Names, besides localhost, under which clients may address the server.");
    AddLimits(table);
    AddTimes(table);
    return table;
  }();
  return kTable;
}

Status CheckHttpOptions(const HttpServerOptions& options, bool requires_token) {
  MR_TRY(CheckAddresses(options));
  if (options.threads_count < 1 || options.header_bytes_max < 1024 ||
      options.header_bytes_max > (size_t{1} << 20) || options.body.ratio_max < 1) {
    return Err(ErrorCode::kConfigInvalidValue,
               "the HTTP server needs a thread, and heads of 1 KiB to 1 MiB");
  }
  if (options.body_memory_bytes < options.body.wire_bytes_max ||
      options.body_memory_bytes < options.body.decoded_bytes_max) {
    return Err(Error(ErrorCode::kConfigInvalidValue,
                     "http.body_memory_bytes is less than the largest body")
                   .WithHint("raise it, or lower http.body_bytes_max and http.decoded_bytes_max"));
  }
  if (IsBeyondLoopback(options) && !requires_token && !options.insecure) {
    return Err(Error(ErrorCode::kConfigUnsafeListen,
                     fmt::format("{} is reachable by others", fmt::join(options.listen, ", ")))
                   .WithHint("add a token to auth.tokens (`millrace token` makes one), or set "
                             "insecure: true in a closed network"));
  }
  return {};
}

bool IsBeyondLoopback(const HttpServerOptions& options) {
  return !std::ranges::all_of(options.listen, [](const std::string& text) {
    const auto address = ListenAddress::Parse(text);
    return address && address->is_loopback();
  });
}

}  // namespace millrace::serve
