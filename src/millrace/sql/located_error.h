#pragma once

#include <expected>
#include <string>
#include <utility>

#include "millrace/base/result.h"

namespace millrace::internal {

/// An error and the byte offset in its file that it is about.
struct LocatedError {
  int offset = 0;
  Error error;
  bool already_reported = false;  ///< The cause was reported where it is: do not repeat it.
};

/// The return type of everything that binds a piece of one file.
template <typename T>
using Bound = std::expected<T, LocatedError>;

[[nodiscard]] inline std::unexpected<LocatedError> ErrAt(
    int offset, ErrorCode code, std::string message, const std::string& hint = {},
    std::source_location where = std::source_location::current()) {
  const Error error(code, std::move(message), where);
  return std::unexpected(LocatedError{offset, hint.empty() ? error : error.WithHint(hint)});
}

/// Puts a location to a result from code that has none.
template <typename T>
Bound<T> At(int offset, Result<T> result) {
  if (!result) {
    return std::unexpected(LocatedError{offset, std::move(result).error()});
  }
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

}  // namespace millrace::internal
