#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::internal {

// Characters of valid UTF-8, counted without decoding.

inline bool StartsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

inline size_t CharacterCount(std::string_view text) {
  size_t count = 0;
  for (const char c : text) {
    count += StartsCharacter(c) ? 1 : 0;
  }
  return count;
}

/// The byte at which character `index` (from 0) begins; text.size() behind the last.
inline size_t CharacterOffset(std::string_view text, size_t index) {
  size_t at = 0;
  while (at < text.size() && (index > 0 || !StartsCharacter(text[at]))) {
    ++at;
    index -= at < text.size() && StartsCharacter(text[at]) ? 1 : 0;
  }
  return at;
}

/// Characters [first, first + count) of text.
inline std::string_view CharacterRange(std::string_view text, size_t first, size_t count) {
  text.remove_prefix(CharacterOffset(text, first));
  return text.substr(0, CharacterOffset(text, count));
}

/// The code point of one character of valid UTF-8.
inline uint32_t CharacterCode(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (first < 0x80) {
    return first;
  }
  uint32_t code = first & (0x7fU >> character.size());
  for (const char c : character.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  }
  return code;
}

/// Appends a code point, at most 0x10ffff, as UTF-8.
inline void AppendCharacter(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

}  // namespace millrace::internal
