#pragma once

#include <string_view>

#include <fmt/format.h>

namespace millrace::internal {

/// Prints the failed condition with its operands to standard error and aborts.
[[noreturn]] void CheckFailed(std::string_view file, int line, std::string_view condition,
                              const std::string& message);

}  // namespace millrace::internal

/// Ends the process when an invariant of this program is broken. Always on. Takes an optional
/// format string with operands. Never for user input, network or disk content.
#define MR_CHECK(condition, ...)                                        \
  do {                                                                  \
    if (!(condition)) [[unlikely]] {                                    \
      ::millrace::internal::CheckFailed(__FILE__, __LINE__, #condition, \
                                        ::fmt::format("" __VA_ARGS__)); \
    }                                                                   \
  } while (false)

#ifdef NDEBUG
#define MR_DCHECK(condition, ...) \
  do {                            \
  } while (false && (condition))
#else
/// As MR_CHECK, for hot loops: only in builds with assertions.
#define MR_DCHECK(condition, ...) MR_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#endif
