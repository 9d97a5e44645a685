#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace millrace::csv {

// Where fields and records of CSV (RFC 4180) end. All that read a file agree by these rules:
//
// A field that begins with a quote ends at the next quote that is not doubled; delimiters and line
// ends within it are text. A quote elsewhere is text. A record ends with a line end that is in no
// such field. With an escape character the character behind one is text, wherever it stands. Text
// between a closing quote and the end of its field is an error, and is scanned as if unquoted.

/// The characters that mean something. '\0' stands for one that there is none of.
struct Dialect {
  char delimiter = ',';
  char quote = '"';
  char escape = '\0';
};

/// Returns the first of two characters from `at` on, at most `end`; 32 bytes behind `end` are
/// readable. Inlined, for fields are short.
[[gnu::always_inline]] inline const char* FindEither(const char* at, const char* end, char a,
                                                     char b) {
#if defined(__AVX2__)
  const __m256i first = _mm256_set1_epi8(a);
  const __m256i second = _mm256_set1_epi8(b);
  for (; at < end; at += sizeof(__m256i)) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at));
    const auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(
        _mm256_or_si256(_mm256_cmpeq_epi8(block, first), _mm256_cmpeq_epi8(block, second))));
    if (mask != 0) {
      const char* const found = at + std::countr_zero(mask);
      return found < end ? found : end;
    }
  }
  return end;
#else
  while (at < end && *at != a && *at != b) {
    ++at;
  }
  return at;
#endif
}

/// Finds where records end in text that comes in pieces. One thread at a time.
class RecordScanner {
 public:
  explicit RecordScanner(const Dialect& dialect) : dialect_(dialect) {}

  /// Before a record.
  void Begin() { state_ = State::kFieldStart; }
  /// Returns how many bytes of the next piece belong to the record, its line end included; npos
  /// when it does not end there.
  size_t FindEnd(std::string_view piece);

  /// Returns how many bytes of `text`, which begins with a record, whole records take. 32 bytes
  /// behind it are readable.
  static size_t WholeRecords(const Dialect& dialect, std::string_view text);

 private:
  enum class State : uint8_t {
    kFieldStart,
    kUnquoted,
    kQuoted,
    kQuoteSeen,        ///< In a quoted field, behind a quote: it closes or is doubled.
    kEscapedUnquoted,  ///< Behind an escape character.
    kEscapedQuoted,
  };
  State Next(char c) const;

  Dialect dialect_;
  State state_ = State::kFieldStart;
};

}  // namespace millrace::csv
