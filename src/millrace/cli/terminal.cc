#include "millrace/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "millrace/base/option_sources.h"
#include "millrace/cli/command_line.h"

namespace millrace::terminal {

void Note(std::string_view text) { fmt::print(stderr, "millrace: {}\n", text); }

void Line(std::string_view text) { fmt::print(stderr, "{}\n", text); }

void PrintError(const Error& error) { Note(error.ToString()); }

void Result(std::string_view text) { fmt::print("{}\n", text); }

void Text(std::string_view text) { fmt::print("{}", text); }

void Prompt(std::string_view text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

void Flush() { std::fflush(stdout); }

bool IsLive() {
  const std::string terminal = EnvironmentVariable("TERM");
  return isatty(STDERR_FILENO) != 0 && !terminal.empty() && terminal != "dumb";
}

void Progress(std::string_view text) {
  winsize size{};
  const size_t columns =
      ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79;
  fmt::print(stderr, "\r\x1b[K{}\r", text.substr(0, columns));
  std::fflush(stderr);
}

int Fail(const Error& error) {
  PrintError(error);
  return kExitFailure;
}

}  // namespace millrace::terminal
