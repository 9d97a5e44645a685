#pragma once

#include <expected>
#include <utility>

#include "millrace/base/error.h"

namespace millrace {

/// The return type of everything that can fail. Values, not exceptions (ADR 0001).
template <typename T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

/// Builds the error side of a Result: `return Err(ErrorCode::kIoError, "read failed")`.
[[nodiscard]] inline std::unexpected<Error> Err(
    ErrorCode code, std::string message,
    std::source_location where = std::source_location::current()) {
  return std::unexpected(Error(code, std::move(message), where));
}

[[nodiscard]] inline std::unexpected<Error> Err(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace millrace

#define MR_CONCAT_INNER(a, b) a##b
#define MR_CONCAT(a, b) MR_CONCAT_INNER(a, b)

/// Evaluates a Result<void> or Result<T> and returns its error from the enclosing function.
#define MR_TRY(expression) MR_TRY_INNER(MR_CONCAT(mr_try_, __LINE__), expression)
#define MR_TRY_INNER(result, expression)                 \
  do {                                                   \
    if (auto result = (expression); !result) {           \
      return std::unexpected(std::move(result).error()); \
    }                                                    \
  } while (false)

/// Evaluates a Result<T>, returns its error, or binds its value: `MR_ASSIGN(auto file,
/// Open(path));`
#define MR_ASSIGN(target, expression) \
  MR_ASSIGN_INNER(MR_CONCAT(mr_assign_, __LINE__), target, expression)
#define MR_ASSIGN_INNER(result, target, expression)    \
  auto result = (expression);                          \
  if (!result) {                                       \
    return std::unexpected(std::move(result).error()); \
  }                                                    \
  target = *std::move(result)
