#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::internal {

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }
inline bool IsSpace(char c) { return c == ' ' || static_cast<unsigned char>(c - '\t') <= 4; }
inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline bool IsLetter(char c) { return static_cast<unsigned char>(ToLower(c) - 'a') < 26; }

/// Removes ASCII white space at both ends.
inline std::string_view TrimSpace(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsSpace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// `lower` is in lower case.
inline bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (ToLower(text[i]) != lower[i]) {
      return false;
    }
  }
  return true;
}

/// Reads text from left to right; every step is checked against the end.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const { return at_ == end_; }
  /// The next character, NUL at the end.
  char Peek() const { return at_ == end_ ? '\0' : *at_; }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

  bool Take(char c) {
    if (Peek() != c || done()) {
      return false;
    }
    ++at_;
    return true;
  }
  void Skip() { ++at_; }
  void SkipSpace() {
    while (!done() && IsSpace(*at_)) {
      ++at_;
    }
  }
  std::string_view TakeDigits() {
    const char* first = at_;
    while (!done() && IsDigit(*at_)) {
      ++at_;
    }
    return {first, static_cast<size_t>(at_ - first)};
  }
  std::string_view TakeLetters() {
    const char* first = at_;
    while (!done() && IsLetter(*at_)) {
      ++at_;
    }
    return {first, static_cast<size_t>(at_ - first)};
  }

 private:
  const char* at_;
  const char* end_;
};

/// The value of decimal digits, saturated at `maximum`.
inline int64_t DigitsValue(std::string_view digits, int64_t maximum) {
  int64_t value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > maximum) {
      return maximum;
    }
  }
  return value;
}

}  // namespace millrace::internal
