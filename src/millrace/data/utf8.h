#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// Returns whether `text` is UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL is valid here.
bool IsValidUtf8(std::string_view text);

/// Appends a code point that is not a surrogate and at most 0x10ffff.
void AppendUtf8(std::string& out, uint32_t code_point);

}  // namespace millrace
