#include "millrace/app/run_command.h"

#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "millrace/app/platform.h"
#include "millrace/app/platform_feeds.h"
#include "millrace/app/platform_ingest.h"
#include "millrace/app/platform_queries.h"
#include "millrace/app/platform_status.h"
#include "millrace/app/project.h"
#include "millrace/base/clock.h"
#include "millrace/base/posix_file_system.h"
#include "millrace/cli/terminal.h"
#include "millrace/serve/http_server.h"
#include "millrace/serve/routes/routes.h"

namespace millrace {

namespace {

constexpr int kExitFailure = 1;
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

Result<Project> LoadOrPrint(FileSystem& files, const std::string& directory) {
  std::vector<ProjectError> errors;
  auto project = LoadProject(files, directory, &errors);
  for (const ProjectError& error : errors) {
    terminal::Line(error.ToString());
  }
  if (!project && errors.empty()) {
    terminal::PrintError(project.error());
  }
  return project;
}

Status Serve(Platform& platform, const RunOptions& options, const sigset_t& signals) {
  MR_ASSIGN(const auto authenticator, serve::Authenticator::Create({}));
  PlatformIngest ingest(platform);
  PlatformQueries queries(platform);
  PlatformFeeds feeds(platform);
  serve::Router router;
  serve::AddIngestRoutes(router, ingest);
  serve::AddStreamRoutes(router, queries);
  serve::AddViewRoutes(router, queries);
  serve::AddChangeRoutes(router, feeds);
  PlatformStatus status(platform);
  serve::AddStatusRoutes(router, status);
  serve::HttpMetrics metrics(router);
  status.SetHttpMetrics(metrics);
  serve::HttpServerOptions http;
  http.listen = {options.listen};
  serve::HttpServer server(http, router, authenticator, platform.clock(), metrics);
  MR_ASSIGN(const auto addresses, server.Start());
  for (const auto& address : addresses) {
    terminal::Note(fmt::format("listening on http://{}", address.ToString()));
  }
  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // The next one ends the process.
  terminal::Note("stopping");
  server.Stop(kStopGrace);
  return {};
}

}  // namespace

int RunProject(const RunOptions& options) {
  const sigset_t signals = BlockStopSignals();
  PosixFileSystem files;
  SystemClock clock;
  auto project = LoadOrPrint(files, options.project_dir);
  if (!project) {
    return kExitFailure;
  }
  Platform::Options platform_options{.data_dir = options.data_dir.empty()
                                                     ? JoinPath(options.project_dir, "data")
                                                     : options.data_dir,
                                     .workers = options.workers,
                                     .on_fatal = [](const Error& error) {
                                       terminal::PrintError(error);
                                       _exit(kExitFatal);
                                     }};
  auto platform = Platform::Start(*std::move(project), files, clock, std::move(platform_options));
  if (!platform) {
    terminal::PrintError(platform.error());
    return kExitFailure;
  }
  if (auto served = Serve(**platform, options, signals); !served) {
    terminal::PrintError(served.error());
    return kExitFailure;
  }
  return 0;
}

int CheckProject(const std::string& project_dir) {
  PosixFileSystem files;
  const auto project = LoadOrPrint(files, project_dir);
  if (!project) {
    return kExitFailure;
  }
  std::vector<ProjectError> errors;
  CheckSources(files, *project, errors);
  for (const ProjectError& error : errors) {
    terminal::Line(error.ToString());
  }
  if (!errors.empty()) {
    return kExitFailure;
  }
  terminal::Result(fmt::format("{}: {} tables, {} views, no errors", project_dir,
                               project->definition.tables.size(),
                               project->definition.views.size()));
  return 0;
}

}  // namespace millrace
