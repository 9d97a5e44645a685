#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

/// Returns whether `text` is UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL is valid here.
bool IsValidUtf8(std::string_view text);

/// Returns the bytes of the code point that `text` begins with; 0 when it is empty or begins with
/// none.
size_t Utf8SequenceLength(std::string_view text);

/// Appends a code point that is not a surrogate and at most 0x10ffff.
void AppendUtf8(std::string& out, uint32_t code_point);

}  // namespace millrace
