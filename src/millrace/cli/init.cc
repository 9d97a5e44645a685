#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "millrace/base/posix_file_system.h"
#include "millrace/cli/command_line.h"
#include "millrace/cli/subcommands.h"
#include "millrace/cli/terminal.h"

namespace millrace {

namespace {

constexpr std::string_view kConfiguration =
    R"(# Options: docs/reference/configuration.md. `millrace config print` shows what holds.

# data_dir: data            # Everything durable; relative to this file.

http:
  listen: 127.0.0.1:8080    # Beyond loopback only with auth.tokens.

# auth:
#   tokens:                 # `millrace token NAME` makes one.
#     - NAME read+write SHA256

# processing:
#   window_size: 1 minute   # Of tumble(table, column).
#   grace_period: 10 s      # How long windows wait for late rows.
)";

constexpr std::string_view kSql = R"(-- What comes in: POST it to /api/v1/streams/events/records.
CREATE TABLE events (
  name text NOT NULL,
  value double precision,
  at timestamptz NOT NULL
) WITH (connector = 'http', format = 'json',
        event_time = 'at', watermark_delay = '5 seconds');

-- What comes out, always up to date: GET /api/v1/views/events_per_minute.
CREATE MATERIALIZED VIEW events_per_minute AS
SELECT window_start, name, count(*) AS n, avg(value) AS mean
FROM tumble(events, at, interval '1 minute')
GROUP BY window_start, window_end, name;
)";

Status WriteProject(FileSystem& files, const std::string& directory) {
  const auto entries = files.List(directory);
  if (entries && !entries->empty()) {
    return Err(Error(ErrorCode::kFileExists, fmt::format("{} is not empty", directory))
                   .WithHint("name a directory that does not exist yet"));
  }
  if (!entries && entries.error().code() != ErrorCode::kFileNotFound) {
    return Err(entries.error());
  }
  MR_TRY(files.CreateDirectories(directory));
  MR_TRY(ReplaceFile(files, JoinPath(directory, "millrace.yaml"), kConfiguration));
  MR_TRY(ReplaceFile(files, JoinPath(directory, "events.sql"), kSql));
  return ReplaceFile(files, JoinPath(directory, ".gitignore"), "/data/\n");
}

int Init(const std::string& directory) {
  PosixFileSystem files;
  if (const Status written = WriteProject(files, directory); !written) {
    return terminal::Fail(written.error());
  }
  terminal::Result(
      fmt::format("{0}/ holds millrace.yaml and events.sql. Next:\n\n"
                  "  millrace run {0}\n\n"
                  "and in another terminal:\n\n"
                  "  curl http://127.0.0.1:8080/api/v1/streams/events/records \\\n"
                  "    -H 'Content-Type: application/json' \\\n"
                  "    -d '{{\"name\":\"first\",\"value\":1,\"at\":\"2026-01-01T00:00:00Z\"}}'\n"
                  "  millrace tail events_per_minute --snapshot",
                  directory));
  return 0;
}

}  // namespace

void AddInitCommand(CLI::App& app, ChosenCommand& chosen) {
  CLI::App* init = app.add_subcommand("init", "Make a small project to start from");
  const auto directory = std::make_shared<std::string>();
  init->add_option("DIR", *directory, "A directory that is empty or does not exist")->required();
  init->footer("Example:\n  millrace init shop\n");
  init->callback([directory, &chosen] { chosen = [directory] { return Init(*directory); }; });
}

}  // namespace millrace
