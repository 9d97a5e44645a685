#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "millrace/base/nearest_name.h"
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

/// Returns "did you mean x?" for the nearest of `names`, else nothing; a hint for ErrAt.
inline std::string MeantHint(std::string_view name, std::span<const std::string_view> names) {
  const auto nearest = NearestName(name, names);
  return nearest.empty() ? std::string() : "did you mean " + nearest + "?";
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
