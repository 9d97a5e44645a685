#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "millrace/codec/record_failure.h"

namespace millrace::json {

// Strict scanning of JSON (RFC 8259) in memory with kPaddingBytes readable bytes behind its end.
// Nothing here allocates, except Unescape. Valid UTF-8 is the caller's business.

/// Readable bytes, of any value, that must follow a body.
inline constexpr size_t kPaddingBytes = 64;

using Failure = RecordFailure;

/// A place in JSON text; never moves behind `end`.
struct Cursor {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  size_t left() const { return static_cast<size_t>(end - at); }
  /// The next character, NUL at the end.
  char Peek() const { return at == end ? '\0' : *at; }
  bool Take(char c) {
    if (Peek() != c) {
      return false;
    }
    ++at;
    return true;
  }
};

inline bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

inline void SkipSpace(Cursor& cursor) {
  while (!cursor.done() && IsSpace(*cursor.at)) {
    ++cursor.at;
  }
}

/// Returns the first '"', '\' or control character from `at` on, at most `end`.
inline const char* FindStringStop(const char* at, const char* end) {
#if defined(__AVX2__)
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i control = _mm256_set1_epi8(0x1F);
  for (; at < end; at += sizeof(__m256i)) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at));
    const __m256i stop = _mm256_or_si256(
        _mm256_or_si256(_mm256_cmpeq_epi8(block, quote), _mm256_cmpeq_epi8(block, backslash)),
        _mm256_cmpeq_epi8(_mm256_min_epu8(block, control), block));
    const auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(stop));
    if (mask != 0) {
      const char* found = at + std::countr_zero(mask);
      return found < end ? found : end;
    }
  }
  return end;
#else
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) {
    ++at;
  }
  return at;
#endif
}

/// A string as it stands between its quotes.
struct RawString {
  std::string_view text;
  bool has_escapes = false;
};

/// Reads a string; the cursor is at its quote. Escapes are checked, not decoded.
Failure ScanEscapedString(Cursor& cursor, const char* begin, RawString& out);
inline Failure ScanString(Cursor& cursor, RawString& out) {
  const char* const begin = cursor.at + 1;
  const char* const stop = FindStringStop(begin, cursor.end);
  if (stop < cursor.end && *stop == '"') [[likely]] {
    out = {.text = {begin, static_cast<size_t>(stop - begin)}};
    cursor.at = stop + 1;
    return {};
  }
  cursor.at = stop;
  return ScanEscapedString(cursor, begin, out);
}

/// Reads a string, whose quote the cursor is at, and appends its text in one pass. Failures as
/// those of ScanString and Unescape; the first from the left.
Failure ReadText(Cursor& cursor, std::string& out);

/// Appends the text of a string with escapes. kRecordInvalidText for NUL and lone surrogates.
Failure Unescape(std::string_view raw, std::string& out);

/// A number as it stands.
struct RawNumber {
  std::string_view text;
  bool is_integer = false;  ///< No point and no exponent.
};

/// Reads a number: kRecordSyntax when there is none.
Failure ScanNumber(Cursor& cursor, RawNumber& out);

/// Reads the word `word`, whose first character is at the cursor.
inline Failure ScanWord(Cursor& cursor, std::string_view word) {
  if (cursor.left() < word.size() || std::memcmp(cursor.at, word.data(), word.size()) != 0) {
    return ErrorCode::kRecordSyntax;
  }
  cursor.at += word.size();
  return {};
}

/// Reads any value with at most `depth_max` levels of arrays and objects: kRecordTooDeep beyond.
Failure SkipValue(Cursor& cursor, size_t depth_max);

/// Returns where the damaged value at `at` ends, as well as brackets and quotes let one guess:
/// behind its closing bracket, or at the ',' or closing bracket that ends it, or `end`.
const char* FindValueEnd(const char* at, const char* end);

/// Whether bytes are UTF-8, at about 20 bytes per nanosecond for ASCII (simdjson).
bool ValidateUtf8(std::string_view bytes);

}  // namespace millrace::json
