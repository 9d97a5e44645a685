#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "millrace/base/error.h"

namespace millrace {

// Canonical JSON text is how jsonb values are stored: two values are equal when their texts are.
// - No white space.
// - Object keys are unique (the last of equal ones wins) and sorted as in PostgreSQL's jsonb: by
//   length in bytes, then bytewise.
// - Numbers are exact decimals without superfluous digits: 1.50 and 15e-1 are 1.5, -0 is 0. The
//   point form is used while it needs at most 40 digits, else d.ddde+nn (PostgreSQL keeps 1.50).
// - Strings are UTF-8; only '"', '\' and control characters are escaped, in the shortest way.
// - NUL, lone surrogates and invalid UTF-8 are refused, as are values nested too deep.

inline constexpr size_t kJsonDepthMax = 64;

/// Appends the canonical form of one JSON value with optional white space around it. Time is
/// O(n log n), stack is bounded by `depth_max`. On failure `out` is unchanged and the reason
/// returned: kRecordSyntax, kRecordInvalidText or kRecordTooDeep.
std::optional<ErrorCode> AppendCanonicalJson(std::string& out, std::string_view json,
                                             size_t depth_max = kJsonDepthMax);

/// Appends `text`, which is valid UTF-8, in quotes and escaped.
void AppendJsonString(std::string& out, std::string_view text);

/// Appends canonical JSON text with ", " and ": " between, as PostgreSQL prints jsonb.
void AppendSpacedJson(std::string& out, std::string_view canonical);

}  // namespace millrace
