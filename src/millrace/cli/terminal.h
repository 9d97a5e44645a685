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
/// One line on standard output.
void Result(std::string_view text);

}  // namespace terminal

}  // namespace millrace
