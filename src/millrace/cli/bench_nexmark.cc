#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "millrace/base/clock.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/change_reader.h"
#include "millrace/cli/measured_run.h"
#include "millrace/cli/net_rows.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"
#include "millrace/cli/text_table.h"
#include "millrace/connect/nexmark/nexmark_json.h"
#include "millrace/connect/nexmark/nexmark_queries.h"
#include "millrace/data/text_format.h"

namespace millrace {

namespace {

struct NexmarkFlags {
  std::string generate;
  std::vector<std::string> queries;
  nexmark::Input input{.file = {}, .is_stored = false, .events = {.events = 1'000'000}};
  int workers = 0;
  std::string directory = "/tmp";
  std::string output;
  std::string format = "table";
};

/// The server that reads the path works in another directory.
std::string FromAnywhere(const std::string& path) {
  std::array<char, PATH_MAX> directory{};
  const bool is_relative = !path.starts_with('/');
  return is_relative && getcwd(directory.data(), directory.size()) != nullptr
             ? JoinPath(directory.data(), path)
             : path;
}

struct QueryReport {
  std::string query;
  NetRows rows;
  RunCost cost;
};

Status Generate(const NexmarkFlags& flags) {
  const NexmarkOptions& events = flags.input.events;
  PosixFileSystem files;
  const SystemClock clock;
  const auto begun = clock.Monotonic();
  MR_TRY(nexmark::WriteJsonLines(events, files, flags.generate));
  MR_ASSIGN(const FileInfo info, files.Info(flags.generate));
  const double seconds = std::chrono::duration<double>(clock.Monotonic() - begun).count();
  terminal::Line(fmt::format("{} events, {} in {:.1f} s: {}", events.events,
                             ShortBytes(static_cast<double>(info.size)), seconds, flags.generate));
  return {};
}

Result<std::vector<nexmark::Query>> ChosenQueries(const std::vector<std::string>& names) {
  std::vector<nexmark::Query> chosen;
  for (const std::string& name : names) {
    if (name == "all") {
      return nexmark::Queries();
    }
    const auto query = std::ranges::find(nexmark::Queries(), name, &nexmark::Query::name);
    if (query == nexmark::Queries().end()) {
      std::vector<std::string_view> known;
      for (const nexmark::Query& each : nexmark::Queries()) {
        known.push_back(each.name);
      }
      return Err(Error(ErrorCode::kUsageError, fmt::format("there is no query {}", name))
                     .WithHint(fmt::format("there are {} and all", fmt::join(known, ", "))));
    }
    chosen.push_back(*query);
  }
  return chosen;
}

Result<QueryReport> RunQuery(const NexmarkFlags& flags, const nexmark::Query& query,
                             FileSystem& files) {
  const std::string name(query.name);
  std::vector<std::string> arguments;
  if (flags.workers > 0) {
    arguments = {"--workers", std::to_string(flags.workers)};
  }
  MR_ASSIGN(const auto server,
            TemporaryServer::Start(files, flags.directory, nexmark::ProjectSql(query, flags.input),
                                   arguments));
  HttpClient client({.url = server->url(), .token = {}});
  const auto show = [&](double rows_in) {
    if (terminal::IsLive()) {
      terminal::Progress(fmt::format("{}: {} rows in", name, ShortCount(rows_in)));
    }
  };
  QueryReport report{.query = name};
  const SystemClock clock;
  MR_ASSIGN(report.cost, MeasureToTheEnd(*server, client, name, clock, show));
  MR_ASSIGN(ChangeReader changes, ChangeReader::Open(client, name));
  MR_ASSIGN(report.rows, ReadNetRows(changes));
  if (!flags.output.empty()) {
    MR_TRY(WriteNetRows(changes, report.rows, files, JoinPath(flags.output, name + ".ndjson")));
  }
  if (terminal::IsLive()) {
    terminal::Progress("");
  }
  return report;
}

std::string Table(const std::vector<QueryReport>& reports) {
  TextTable table({"QUERY", "EVENTS", "ROWS", "SECONDS", "EVENTS/S", "CPU s/M", "PEAK MEMORY",
                   "STATE", "COMMIT p50", "p99", "DIGEST"});
  for (const QueryReport& report : reports) {
    const RunCost& cost = report.cost;
    table.Add({report.query, fmt::format("{:.0f}", cost.records_in),
               fmt::format("{}", report.rows.count), fmt::format("{:.2f}", cost.seconds),
               ShortCount(cost.records_in / cost.seconds),
               fmt::format("{:.2f}", cost.cpu_seconds / cost.records_in * 1e6),
               ShortBytes(cost.peak_resident_bytes), ShortBytes(cost.state_bytes),
               fmt::format("{:.1f} ms", cost.commit_p50_seconds * 1e3),
               fmt::format("{:.1f} ms", cost.commit_p99_seconds * 1e3),
               fmt::format("{:016x}", report.rows.digest)});
  }
  return table.ToString();
}

/// One object per query and line.
std::string Json(const QueryReport& report) {
  const RunCost& cost = report.cost;
  return fmt::format(
      "{{\"query\":\"{}\",\"events\":{:.0f},\"rows\":{},\"seconds\":{:.3f},"
      "\"events_per_second\":{:.0f},\"cpu_seconds_per_million_events\":{:.4f},"
      "\"peak_resident_bytes\":{:.0f},\"state_bytes\":{:.0f},\"commit_p50_ms\":{:.3f},"
      "\"commit_p99_ms\":{:.3f},\"digest\":\"{:016x}\"}}\n",
      report.query, cost.records_in, report.rows.count, cost.seconds,
      cost.records_in / cost.seconds, cost.cpu_seconds / cost.records_in * 1e6,
      cost.peak_resident_bytes, cost.state_bytes, cost.commit_p50_seconds * 1e3,
      cost.commit_p99_seconds * 1e3, report.rows.digest);
}

Status RunQueries(const NexmarkFlags& flags) {
  MR_ASSIGN(const auto queries, ChosenQueries(flags.queries));
  PosixFileSystem files;
  NexmarkFlags run = flags;
  if (!run.input.file.empty()) {
    MR_TRY(files.Info(run.input.file));
    run.input.file = FromAnywhere(run.input.file);
  }
  if (!run.output.empty()) {
    MR_TRY(files.CreateDirectories(run.output));
  }
  std::vector<QueryReport> reports;
  for (const nexmark::Query& query : queries) {
    MR_ASSIGN(QueryReport report, RunQuery(run, query, files));
    if (flags.format == "json") {
      terminal::Text(Json(report));
      terminal::Flush();
    }
    reports.push_back(std::move(report));
  }
  if (flags.format == "table") {
    terminal::Text(Table(reports));
  }
  return {};
}

void AddEventFlags(CLI::App& command, NexmarkOptions& events) {
  command.add_option("--events", events.events, "How many events to make")
      ->check(CLI::Range(1.0, 1e12))
      ->capture_default_str();
  command.add_option("--event-rate", events.event_rate, "Events per second of event time")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command.add_option("--base-time", events.base_time, "Event time of the first event")
      ->capture_default_str();
  command
      .add_option("--out-of-order-group", events.out_of_order_group,
                  "So many events at a time come in mixed order")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--seed", events.seed, "Equal seeds give equal events")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_flag("--shifted-bidders", events.shifted_bidders,
                   "Add 1000 to each bidder, as nexmark-flink does");
}

Status Nexmark(const NexmarkFlags& flags) {
  MR_TRY(ParseTimestamptz(flags.input.events.base_time));
  if (!flags.generate.empty()) {
    return Generate(flags);
  }
  return flags.queries.empty() ? Err(ErrorCode::kUsageError, "give --query or --generate")
                               : RunQueries(flags);
}

}  // namespace

void AddBenchNexmarkCommand(CLI::App& bench, ChosenCommand& chosen) {
  CLI::App* command = bench.add_subcommand("nexmark", "Run the Nexmark benchmark");
  const auto flags = std::make_shared<NexmarkFlags>();
  auto* generate =
      command->add_option("--generate", flags->generate,
                          "Only write the events to this new file, one JSON object per line");
  command->add_option("--query", flags->queries, "Queries such as q5,q7, or all")
      ->delimiter(',')
      ->excludes(generate);
  command
      ->add_option("--input", flags->input.file,
                   "File of events, one JSON object per line; default: generated ones")
      ->excludes(generate);
  command->add_flag("--stored", flags->input.is_stored,
                    "Keep the events of the file in a stream too (storage = 'stream')");
  command->add_option("--workers", flags->workers, "Threads that run pipelines; 0 = all processors")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command
      ->add_option("--output", flags->output,
                   "Directory for QUERY.ndjson, the rows that a query ends with")
      ->excludes(generate);
  command->add_option("--format", flags->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command
      ->add_option("--dir", flags->directory, "Where the data of the server that is measured goes")
      ->capture_default_str();
  AddEventFlags(*command, flags->input.events);
  command->footer(
      "Each query runs in a process of its own, with every commit on disk, to the end of its "
      "input.\n"
      "The same options of a table with connector = 'nexmark' give the same events.\n\n"
      "Examples:\n"
      "  millrace bench nexmark --query all\n"
      "  millrace bench nexmark --query q5,q7 --events 10000000 --workers 1 --format json\n"
      "  millrace bench nexmark --generate events.ndjson --events 200000\n"
      "  millrace bench nexmark --query q3 --input events.ndjson --output rows\n");
  command->callback([flags, &chosen] {
    chosen = [flags] {
      const Status status = Nexmark(*flags);
      return status ? 0 : terminal::Fail(status.error());
    };
  });
}

}  // namespace millrace
