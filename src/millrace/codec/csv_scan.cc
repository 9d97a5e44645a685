#include "millrace/codec/csv_scan.h"

namespace millrace::csv {

namespace {

/// Returns the first quote from `at` on, at most `end`, and moves `line_end` to the last line end
/// before it, if there is one.
[[gnu::always_inline]] inline const char* FindQuote(const char* at, const char* end, char quote,
                                                    const char*& line_end) {
#if defined(__AVX2__)
  const __m256i quotes = _mm256_set1_epi8(quote);
  const __m256i line_ends = _mm256_set1_epi8('\n');
  for (; at < end; at += sizeof(__m256i)) {
    const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(at));
    auto found = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, quotes)));
    auto lines = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, line_ends)));
    if (static_cast<size_t>(end - at) < sizeof(__m256i)) {
      found |= uint32_t{1} << (end - at);
    }
    if (found != 0) {
      lines &= (found & -found) - 1;
    }
    if (lines != 0) {
      line_end = at + std::bit_width(lines) - 1;
    }
    if (found != 0) {
      return at + std::countr_zero(found);
    }
  }
  return end;
#else
  for (; at < end && *at != quote; ++at) {
    line_end = *at == '\n' ? at : line_end;
  }
  return at;
#endif
}

/// As WholeRecords without an escape character: goes from quote to quote.
size_t WholeQuotedRecords(const Dialect& dialect, std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* line_end = nullptr;  // The last one that is in no quoted field.
  const char* at = begin;
  while (true) {
    const char* const quote = FindQuote(at, end, dialect.quote, line_end);
    if (quote == end) {
      break;
    }
    at = quote + 1;
    const bool opens = quote == begin || quote[-1] == dialect.delimiter || quote[-1] == '\n';
    if (!opens) {
      continue;
    }
    const char* close = FindEither(at, end, dialect.quote, dialect.quote);
    while (close < end - 1 && close[1] == dialect.quote) {
      close = FindEither(close + 2, end, dialect.quote, dialect.quote);
    }
    if (close >= end - 1) {
      break;
    }
    at = close + 1;
  }
  return line_end == nullptr ? 0 : static_cast<size_t>(line_end - begin) + 1;
}

}  // namespace

RecordScanner::State RecordScanner::Next(char c) const {
  switch (state_) {
    case State::kEscapedUnquoted:
      return State::kUnquoted;
    case State::kEscapedQuoted:
      return State::kQuoted;
    case State::kQuoted:
      return c == dialect_.quote                               ? State::kQuoteSeen
             : c == dialect_.escape && dialect_.escape != '\0' ? State::kEscapedQuoted
                                                               : State::kQuoted;
    case State::kFieldStart:
    case State::kUnquoted:
    case State::kQuoteSeen:
      break;
  }
  if (c == dialect_.delimiter) {
    return State::kFieldStart;
  }
  if (c == dialect_.escape && dialect_.escape != '\0') {
    return State::kEscapedUnquoted;
  }
  const bool opens = state_ != State::kUnquoted && c == dialect_.quote && dialect_.quote != '\0';
  return opens ? State::kQuoted : State::kUnquoted;
}

size_t RecordScanner::FindEnd(std::string_view piece) {
  const auto ends = [&] {
    return state_ == State::kFieldStart || state_ == State::kUnquoted ||
           state_ == State::kQuoteSeen;
  };
  for (size_t i = 0; i < piece.size(); ++i) {
    if (piece[i] == '\n' && ends()) {
      state_ = State::kFieldStart;
      return i + 1;
    }
    state_ = Next(piece[i]);
  }
  return std::string_view::npos;
}

size_t RecordScanner::WholeRecords(const Dialect& dialect, std::string_view text) {
  if (dialect.escape == '\0') {
    if (dialect.quote == '\0') {
      return text.rfind('\n') + 1;
    }
    return WholeQuotedRecords(dialect, text);
  }
  RecordScanner scanner(dialect);
  size_t whole = 0;
  while (true) {
    const size_t size = scanner.FindEnd(text.substr(whole));
    if (size == std::string_view::npos) {
      return whole;
    }
    whole += size;
  }
}

}  // namespace millrace::csv
