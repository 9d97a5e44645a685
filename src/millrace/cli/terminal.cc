#include "millrace/cli/terminal.h"

#include <cstdio>

#include <fmt/format.h>

namespace millrace::terminal {

void Note(std::string_view text) { fmt::print(stderr, "millrace: {}\n", text); }

void Line(std::string_view text) { fmt::print(stderr, "{}\n", text); }

void PrintError(const Error& error) { Note(error.ToString()); }

void Result(std::string_view text) { fmt::print("{}\n", text); }

}  // namespace millrace::terminal
