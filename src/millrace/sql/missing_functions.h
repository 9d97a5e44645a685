#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::internal {

/// Whether a function of PostgreSQL gives another value at each call, or at each statement.
enum class Volatility : uint8_t {
  kStable,    ///< Depends on the arguments only.
  kMoment,    ///< The time of the statement, as now().
  kVolatile,  ///< Random or another time at each call.
};
Volatility VolatilityOf(std::string_view function);

/// What to use instead of a function that PostgreSQL has and Millrace has not; none for functions
/// that are here or that nobody has.
std::optional<std::string_view> HintForMissing(std::string_view function);

}  // namespace millrace::internal
