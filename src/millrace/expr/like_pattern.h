#pragma once

#include <string>
#include <string_view>

namespace millrace::internal {

/// A pattern of LIKE or ILIKE: % is any text, _ any character, \ makes the next one plain. Case is
/// ignored for ASCII letters only, as in collation "C". Immutable after Assign.
class LikePattern {
 public:
  /// Returns false when the pattern ends with the escape character.
  bool Assign(std::string_view pattern, bool ignore_case);
  bool Matches(std::string_view text) const;

 private:
  enum class Shape { kExact, kPrefix, kSuffix, kInfix, kGeneral };

  bool MatchesGeneral(std::string_view text) const;
  bool MatchesOne(size_t& pattern_at, std::string_view text, size_t& text_at) const;

  Shape shape_ = Shape::kGeneral;
  bool ignore_case_ = false;
  std::string pattern_;
  std::string_view plain_;  ///< The text of the simple shapes, in pattern_.
};

}  // namespace millrace::internal
