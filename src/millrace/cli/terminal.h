#pragma once

#include <string_view>

#include "millrace/base/error.h"

namespace millrace {

/// What a person reads: progress and errors on standard error, results on standard output. Nothing
/// else prints.
namespace terminal {

/// One line on standard error, with the program's name in front.
void Note(std::string_view text);
/// One line on standard error, as it is.
void Line(std::string_view text);
void PrintError(const Error& error);
/// Prints the error and returns the exit status of a failure.
int Fail(const Error& error);
/// One line on standard output.
void Result(std::string_view text);
/// On standard output, as it is.
void Text(std::string_view text);
/// At the begin of a line of standard output that the user goes on with.
void Prompt(std::string_view text);
/// Hands what was printed to whoever reads standard output.
void Flush();

/// Whether standard error is a terminal on which a line can be written over.
bool IsLive();
/// Writes over the last line of standard error, or takes it away when `text` is empty; as much of
/// it as fits. Only when IsLive; other lines must erase it first (LogOptions::shares_line).
void Progress(std::string_view text);

}  // namespace terminal

}  // namespace millrace
