#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace millrace {

/// `millrace run`.
struct RunOptions {
  std::string project_dir;
  std::string data_dir;  ///< Empty: "data" in the project directory.
  std::string listen = "127.0.0.1:8080";
  int workers = 0;  ///< 0: one per processor.
};

/// What the subcommands do; each returns the exit status of the process.
struct Commands {
  std::function<int(const RunOptions&)> run;
  std::function<int(const std::string& project_dir)> check;
};

/// Reads the command line, runs one command and returns the exit status of the process. Prints
/// help, the version and usage errors itself.
int RunCommandLine(int argc, char** argv, std::string_view version, const Commands& commands);

}  // namespace millrace
