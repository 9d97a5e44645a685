#include <string>

#include <CLI/CLI.hpp>

#include "millrace/app/run_command.h"

int main(int argc, char** argv) {
  CLI::App app("Millrace: events in, SQL views kept exactly once, answers out.");
  app.require_subcommand(1);
  app.set_version_flag("--version", MILLRACE_VERSION);
  millrace::RunOptions run_options;
  CLI::App* run = app.add_subcommand("run", "Run the project in a directory until Ctrl-C");
  run->add_option("DIR", run_options.project_dir, "Project directory")->required();
  run->add_option("--data-dir", run_options.data_dir, "Data directory (default: DIR/data)");
  run->add_option("--listen", run_options.listen, "Address and port to listen on")
      ->capture_default_str();
  run->add_option("--workers", run_options.workers, "Worker threads (0: one per processor)")
      ->capture_default_str();
  std::string check_dir;
  CLI::App* check = app.add_subcommand("check", "Print every error of the project in a directory");
  check->add_option("DIR", check_dir, "Project directory")->required();
  CLI11_PARSE(app, argc, argv);
  return run->parsed() ? millrace::RunProject(run_options) : millrace::CheckProject(check_dir);
}
