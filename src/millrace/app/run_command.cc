#include "millrace/app/run_command.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "millrace/app/load_project.h"
#include "millrace/app/logger.h"
#include "millrace/app/platform.h"
#include "millrace/app/platform_feeds.h"
#include "millrace/app/platform_figures.h"
#include "millrace/app/platform_ingest.h"
#include "millrace/app/platform_queries.h"
#include "millrace/app/platform_replay.h"
#include "millrace/app/platform_sql.h"
#include "millrace/app/platform_status.h"
#include "millrace/app/progress_line.h"
#include "millrace/base/clock.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/base/process_metrics.h"
#include "millrace/cli/terminal.h"
#include "millrace/serve/http_server.h"
#include "millrace/serve/routes/routes.h"

namespace millrace {

namespace {

constexpr int kExitFatal = 70;  // sysexits.h EX_SOFTWARE
constexpr std::chrono::seconds kStopGrace{5};

/// Signals that end the process are taken by the main thread alone.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// Waits for a signal to stop; the next one ends the process.
void AwaitStop(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  MR_LOG(kAppLog, kInfo, "stopping", {"signal", sigabbrev_np(signal)});
}

Status Serve(Platform& platform, const Configuration& configuration, MetricsRegistry& registry,
             const sigset_t& signals) {
  MR_ASSIGN(const auto authenticator, serve::Authenticator::Create(configuration.auth.tokens));
  const PlatformFigures figures(platform);
  PlatformIngest ingest(platform);
  PlatformReplay replay(platform, ReplayMetrics(registry));
  PositionWaits waits(platform);
  PlatformQueries queries(platform, figures, waits, QueryMetrics(registry));
  PlatformSql sql(platform, waits, configuration.query, SqlMetrics(registry));
  PlatformFeeds feeds(platform, FeedMetrics(registry));
  serve::Router router;
  serve::AddIngestRoutes(router, ingest);
  serve::AddReplayRoutes(router, replay);
  serve::AddStreamRoutes(router, queries);
  serve::AddViewRoutes(router, queries);
  serve::AddQueryRoutes(router, sql);
  serve::AddChangeRoutes(router, feeds);
  PlatformStatus status(platform, registry);
  serve::AddStatusRoutes(router, status);
  serve::HttpMetrics metrics(router);
  const auto http_metrics = registry.AddCollector(
      serve::HttpMetrics::Families(), [&](MetricsWriter& writer) { metrics.Collect(writer); });
  const auto figure_metrics = registry.AddCollector(
      PlatformFigures::Families(), [&](MetricsWriter& writer) { figures.Collect(writer); });
  serve::HttpServer server(configuration.http, router, authenticator, platform.clock(), metrics);
  MR_ASSIGN(const auto addresses, server.Start());
  for (const auto& address : addresses) {
    MR_LOG(kAppLog, kInfo, "listening", {"url.full", "http://" + address.ToString()},
           {"auth", authenticator.requires_token()});
  }
  std::optional<ProgressLine> progress;
  if (configuration.logging.shares_line) {
    progress.emplace(platform, figures);
  }
  AwaitStop(signals);
  progress.reset();
  server.Stop(kStopGrace);
  return {};
}

void WarnOfUnusedOptions(const LoadedConfiguration& configuration) {
  for (const OptionReading& unused : UnusedOptions(configuration)) {
    MR_LOG(kAppLog, kWarning, "option is not used", {"option", unused.name},
           {"place", unused.origin.ToString()}, {"only_for", unused.only_for});
  }
}

Status Run(LoadedProject loaded, FileSystem& files, const Clock& clock, const sigset_t& signals) {
  const Configuration& values = loaded.configuration.values;
  MetricsRegistry registry;
  const ProcessMetrics process(files, clock);
  const auto process_metrics = registry.AddCollector(
      ProcessMetrics::Families(), [&](MetricsWriter& writer) { process.Collect(writer); });
  Platform::Options options{.data_dir = values.places.data_dir,
                            .engine = values.engine,
                            .storage = values.storage,
                            .changes = loaded.changes,
                            .metrics = &registry};
  options.storage.on_fatal = [](const Error& error) {
    MR_LOG_ERROR(kAppLog, kError, "the transport has failed; ending the process", error);
    _exit(kExitFatal);
  };
  MR_ASSIGN(auto platform,
            Platform::Start(std::move(loaded.project), files, clock, std::move(options)));
  return Serve(*platform, values, registry, signals);
}

}  // namespace

int RunProject(const ProjectSelection& selection) {
  const sigset_t signals = BlockStopSignals();
  PosixFileSystem files;
  SystemClock clock;
  std::vector<ProjectError> errors;
  auto loaded = LoadAll(files, selection, errors);
  if (!loaded) {
    PrintErrors(errors);
    return kExitFailure;
  }
  LogOptions& logging = loaded->configuration.values.logging;
  logging.shares_line = logging.format != LogFormat::kJson && terminal::IsLive();
  LogSink sink(logging, clock);
  InstallLogSink(&sink);
  const Configuration::Places& places = loaded->configuration.values.places;
  MR_LOG(kAppLog, kInfo, "starting", {"service.version", MILLRACE_VERSION},
         {"process.pid", getpid()}, {"project", places.project_dir}, {"data", places.data_dir},
         {"configuration", loaded->configuration.file});
  WarnOfUnusedOptions(loaded->configuration);
  if (const Status run = Run(*std::move(loaded), files, clock, signals); !run) {
    MR_LOG_ERROR(kAppLog, kError, "cannot run", run.error());
    if (!sink.enabled(LogLevel::kError)) {
      terminal::PrintError(run.error());
    }
    return kExitFailure;
  }
  MR_LOG(kAppLog, kInfo, "stopped");
  return 0;
}

}  // namespace millrace
