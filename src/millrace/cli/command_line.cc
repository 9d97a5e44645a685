#include "millrace/cli/command_line.h"

#include <CLI/CLI.hpp>

namespace millrace {

namespace {

void AddRun(CLI::App& app, RunOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Run the project in a directory until Ctrl-C");
  run->add_option("DIR", options.project_dir, "Project directory: its *.sql files")->required();
  run->add_option("--data-dir", options.data_dir, "Data directory (default: DIR/data)");
  run->add_option("--listen", options.listen, "Address and port of the HTTP API")
      ->capture_default_str();
  run->add_option("--workers", options.workers, "Worker threads (0: one per processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  run->footer(
      "Examples:\n"
      "  millrace run examples/clicks\n"
      "  millrace run . --data-dir /var/lib/millrace --listen 127.0.0.1:9000\n");
}

void AddCheck(CLI::App& app, std::string& project_dir) {
  CLI::App* check = app.add_subcommand("check", "Print every error of a project, and run nothing");
  check->add_option("DIR", project_dir, "Project directory: its *.sql files")->required();
  check->footer("Example:\n  millrace check examples/clicks\n");
}

constexpr int kExitUsage = 2;
constexpr int kParsed = -1;

/// kParsed, or the exit status after help or a usage error was printed.
int Parse(CLI::App& app, int argc, char** argv) {
  CLI11_PARSE(app, argc, argv);
  return kParsed;
}

}  // namespace

int RunCommandLine(int argc, char** argv, std::string_view version, const Commands& commands) {
  CLI::App app("Millrace: events in, SQL views kept exactly once, answers out.", "millrace");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(version));
  RunOptions run;
  std::string check;
  AddRun(app, run);
  AddCheck(app, check);
  if (const int status = Parse(app, argc, argv); status != kParsed) {
    return status == 0 ? 0 : kExitUsage;
  }
  return app.got_subcommand("run") ? commands.run(run) : commands.check(check);
}

}  // namespace millrace
