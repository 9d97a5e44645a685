#include <charconv>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/posix_file_system.h"
#include "millrace/cli/command_line.h"
#include "millrace/cli/http_load.h"
#include "millrace/cli/listing.h"
#include "millrace/cli/metrics_text.h"
#include "millrace/cli/server_flags.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/temporary_server.h"
#include "millrace/cli/terminal.h"
#include "millrace/cli/text_table.h"

namespace millrace {

namespace {

constexpr int kUrls = 1000;

struct BenchOptions {
  ServerFlags server;
  std::string stream;
  std::string directory = "/tmp";
  std::string format = "text";
  LoadPlan plan;
};

/// What the server tells of itself before and after.
struct ServerUse {
  double cpu_seconds = 0;
  double resident_bytes = 0;
};

Result<ServerUse> ReadUse(HttpClient& client) {
  MR_ASSIGN(const std::string text, client.Get("/api/v1/metrics"));
  return ServerUse{.cpu_seconds = MetricOf(text, "millrace_process_cpu_seconds_total"),
                   .resident_bytes = MetricOf(text, "millrace_process_resident_memory_bytes")};
}

/// Splits "http://127.0.0.1:8080"; the load is plain HTTP to an IPv4 address.
Status SetTarget(const std::string& url, LoadPlan& plan) {
  constexpr std::string_view kScheme = "http://";
  const size_t colon = url.rfind(':');
  const char* const end = url.data() + url.size();
  const bool valid = url.starts_with(kScheme) && colon > kScheme.size() &&
                     std::from_chars(url.data() + colon + 1, end, plan.port).ptr == end;
  if (!valid) {
    return Err(ErrorCode::kUsageError, fmt::format("expected http://ADDRESS:PORT, got '{}'", url));
  }
  plan.host = url.substr(kScheme.size(), colon - kScheme.size());
  plan.host = plan.host == "localhost" ? "127.0.0.1" : plan.host;
  return {};
}

Result<std::vector<LoadColumn>> ReadColumns(HttpClient& client, const std::string& stream) {
  MR_ASSIGN(const auto streams, ReadList(client, "streams"));
  for (const auto& item : streams) {
    const auto* columns = item.get_object().if_contains("columns");
    if (TextOf(item.get_object(), "name") != stream || columns == nullptr || !columns->is_array()) {
      continue;
    }
    std::vector<LoadColumn> read;
    for (const auto& column : columns->get_array()) {
      if (const auto* object = column.if_object()) {
        read.push_back({.name = TextOf(*object, "name"), .type = TextOf(*object, "type")});
      }
    }
    return read;
  }
  return Err(ErrorCode::kStreamNotFound, fmt::format("there is no stream {}", stream));
}

std::string ReportText(const LoadReport& report, const ServerUse& before, const ServerUse& after) {
  const auto events = static_cast<double>(report.events);
  const auto millis = [&](double q) { return static_cast<double>(report.Latency(q)) / 1e3; };
  return fmt::format(
      "events   {} in {:.1f} s: {}/s, {}/s\n"
      "server   {:.2f} s of processor time per million events, {} resident\n"
      "answers  p50 {:.2f} ms, p90 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms over {} requests\n",
      report.events, report.seconds, ShortCount(events / report.seconds),
      ShortBytes(static_cast<double>(report.bytes) / report.seconds),
      events == 0 ? 0 : (after.cpu_seconds - before.cpu_seconds) / events * 1e6,
      ShortBytes(after.resident_bytes), millis(0.5), millis(0.9), millis(0.99), millis(1),
      report.requests);
}

std::string ReportJson(const LoadReport& report, const ServerUse& before, const ServerUse& after) {
  return fmt::format(
      "{{\"events\":{},\"requests\":{},\"bytes\":{},\"seconds\":{:.3f},\"events_per_second\":{:.0f}"
      ","
      "\"server_cpu_seconds\":{:.3f},\"server_resident_bytes\":{:.0f},\"p50_us\":{},\"p90_us\":{},"
      "\"p99_us\":{},\"max_us\":{}}}\n",
      report.events, report.requests, report.bytes, report.seconds,
      static_cast<double>(report.events) / report.seconds, after.cpu_seconds - before.cpu_seconds,
      after.resident_bytes, report.Latency(0.5), report.Latency(0.9), report.Latency(0.99),
      report.Latency(1));
}

Status Measure(const BenchOptions& options, ServerAddress address, LoadPlan plan) {
  MR_TRY(SetTarget(address.url, plan));
  plan.token = address.token;
  HttpClient client(std::move(address));
  if (!plan.make_record) {
    MR_ASSIGN(const auto columns, ReadColumns(client, plan.stream));
    MR_ASSIGN(plan.make_record, MakeRecords(columns));
  }
  MR_ASSIGN(const ServerUse before, ReadUse(client));
  const SystemClock clock;
  MR_ASSIGN(const LoadReport report, RunLoad(plan, clock));
  MR_ASSIGN(const ServerUse after, ReadUse(client));
  terminal::Text(options.format == "json" ? ReportJson(report, before, after)
                                          : ReportText(report, before, after));
  return {};
}

Status Bench(const BenchOptions& options) {
  LoadPlan plan = options.plan;
  if (!options.stream.empty()) {
    plan.stream = options.stream;
    return Measure(options, options.server.Take(), std::move(plan));
  }
  PosixFileSystem files;
  MR_ASSIGN(const auto server, TemporaryServer::Start(files, options.directory, ClicksSql()));
  plan.stream = "clicks";
  plan.make_record = MakeClicks(kUrls);
  return Measure(options, {.url = server->url(), .token = {}}, std::move(plan));
}

}  // namespace

void AddBenchCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* bench = app.add_subcommand("bench", "Measure how much a server takes in");
  const auto options = std::make_shared<BenchOptions>();
  LoadPlan& plan = options->plan;
  bench->add_option("--stream", options->stream,
                    "Table of the server at --url that gets random records for its columns; "
                    "without, a temporary server counts clicks per minute");
  bench->add_option("--dir", options->directory, "Where the temporary server's data goes")
      ->capture_default_str();
  bench->add_option("--seconds", plan.seconds, "How long")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  bench->add_option("--connections", plan.connections, "Connections, each a thread")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  bench->add_option("--body-bytes", plan.body_bytes, "Size of a request, as fast as it goes")
      ->check(CLI::Range(1, 16 << 20))
      ->capture_default_str();
  bench->add_option("--rate", plan.rate, "Events per second; 0 is as fast as it goes")
      ->check(CLI::Range(0, 100'000'000))
      ->capture_default_str();
  bench->add_option("--request-records", plan.request_records, "Records of a request at --rate")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  bench->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  options->server.AddTo(*bench);
  bench->footer(
      "Every answer comes after its records are durable. Generator and server share this "
      "machine's\n"
      "processors unless --url names another.\n\n"
      "Examples:\n"
      "  millrace bench\n"
      "  millrace bench --rate 20000 --seconds 30 --dir /var/tmp\n"
      "  millrace bench --stream events --url http://127.0.0.1:8080\n");
  AddBenchNexmarkCommand(*bench, chosen);
  bench->callback([options, bench, &chosen] {
    if (!bench->get_subcommands().empty()) {
      return;
    }
    chosen = [options] {
      const Status status = Bench(*options);
      return status ? 0 : terminal::Fail(status.error());
    };
  });
}

}  // namespace millrace
