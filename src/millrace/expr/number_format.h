#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/result.h"

namespace millrace::internal {

/// A parsed format of to_char over numbers, such as 'FM999,990.00'. Immutable.
/// https://www.postgresql.org/docs/15/functions-formatting.html#FUNCTIONS-FORMATTING-NUMERIC-TABLE
class NumberFormat final {
 public:
  /// kInvalidCast for a format that contradicts itself, and for what PostgreSQL has and Millrace
  /// has not: B, C, EEEE, L, RN, SP, V.
  static Result<NumberFormat> Parse(std::string_view text);

  /// Digits behind the point that are shown.
  int post() const { return post_; }

  /// Appends a number. `digits`: it, rounded to `post` digits behind the point, without a sign;
  /// `post` is post(), or less where the number has no more. A number with more digits before the
  /// point than the format has is shown as #.
  void Append(std::string& out, std::string_view digits, int post, bool negative) const;

 private:
  friend class NumberFormatParser;
  friend class NumberWriter;

  enum class Token : uint8_t {
    kText,
    kNine,
    kZero,
    kPoint,
    kComma,
    kSign,
    kMinus,
    kPlus,
    kPlusMinus,
    kBracket,
    kOrdinal,
    kLowerOrdinal,
  };
  enum class SignPlace : uint8_t { kNone, kBefore, kBehind };

  struct Node {
    Token token = Token::kText;
    std::string text;  ///< Of kText: one character.
  };

  std::vector<Node> nodes_;
  int pre_ = 0;   ///< Digits before the point.
  int post_ = 0;  ///< Digits behind it.
  int zero_start_ = 0;
  int zero_end_ = 0;
  int digits_before_sign_ = 0;
  SignPlace sign_place_ = SignPlace::kNone;  ///< Of S.
  bool has_point_ = false;
  bool has_zero_ = false;
  bool fill_mode_ = false;
  bool has_sign_ = false;
  bool has_minus_ = false;
  bool has_plus_ = false;
  bool has_bracket_ = false;
};

}  // namespace millrace::internal
