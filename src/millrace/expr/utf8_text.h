#pragma once

#include <cstddef>
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

}  // namespace millrace::internal
