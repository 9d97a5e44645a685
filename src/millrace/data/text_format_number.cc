#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fast_float/fast_float.h>

#include "millrace/base/check.h"
#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/data/text_format_error.h"

namespace millrace {

using internal::TextCursor;

namespace {

constexpr auto kPowersOfTen = [] {
  std::array<Int128, DataType::kNumericPrecisionMax + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) {
    powers[i] = powers[i - 1] * 10;
  }
  return powers;
}();

bool IsSpecialNumber(std::string_view word) {
  return internal::EqualsIgnoreCase(word, "nan") || internal::EqualsIgnoreCase(word, "inf") ||
         internal::EqualsIgnoreCase(word, "infinity");
}

/// Reads NaN, Infinity and their signed forms; `text` starts with a letter.
template <typename Float>
ScanOutcome ScanSpecialFloat(std::string_view text, bool negative, Float& out) {
  if (!IsSpecialNumber(text)) {
    return ScanOutcome::kInvalid;
  }
  const Float value = internal::ToLower(text.front()) == 'n'
                          ? std::numeric_limits<Float>::quiet_NaN()
                          : std::numeric_limits<Float>::infinity();
  out = negative ? -value : value;
  return ScanOutcome::kOk;
}

bool HasNonZeroMantissa(std::string_view text) {
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  return mantissa.find_first_of("123456789") != std::string_view::npos;
}

template <typename Float>
ScanOutcome ScanFloating(std::string_view text, Float& out) {
  text = internal::TrimSpace(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) {
    text.remove_prefix(1);
  }
  if (text.empty() || (!internal::IsDigit(text.front()) && text.front() != '.')) {
    return text.empty() || !internal::IsLetter(text.front())
               ? ScanOutcome::kInvalid
               : ScanSpecialFloat(text, negative, out);
  }
  Float value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() ||
      (error != std::errc() && error != std::errc::result_out_of_range)) {
    return ScanOutcome::kInvalid;
  }
  if (std::isinf(value) || (value == 0 && HasNonZeroMantissa(text))) {
    return ScanOutcome::kOutOfRange;
  }
  out = negative ? -value : value;
  return ScanOutcome::kOk;
}

/// The decimal digits of a finite number: 0.d1d2d3... * 10^point.
struct Decimal {
  std::array<char, 32> digits{};
  size_t digits_count = 0;
  int exponent = 0;  ///< Of the first digit.
};

template <typename Float>
Decimal ShortestDigits(Float value) {
  std::array<char, 48> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  MR_DCHECK(error == std::errc());
  Decimal decimal;
  const char* at = text.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') {
      decimal.digits[decimal.digits_count++] = *at;
    }
  }
  at += at[1] == '+' ? 2 : 1;
  std::from_chars(at, end, decimal.exponent);
  return decimal;
}

void AppendScientific(std::string& out, const Decimal& decimal) {
  out += decimal.digits[0];
  if (decimal.digits_count > 1) {
    out += '.';
    out.append(decimal.digits.data() + 1, decimal.digits_count - 1);
  }
  out += decimal.exponent < 0 ? "e-" : "e+";
  const int exponent = std::abs(decimal.exponent);
  if (exponent < 10) {
    out += '0';
  }
  AppendInteger(out, exponent);
}

void AppendFixedPoint(std::string& out, const Decimal& decimal) {
  const char* digits = decimal.digits.data();
  if (decimal.exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-decimal.exponent - 1), '0');
    out.append(digits, decimal.digits_count);
    return;
  }
  const auto whole = static_cast<size_t>(decimal.exponent) + 1;
  if (whole >= decimal.digits_count) {
    out.append(digits, decimal.digits_count);
    out.append(whole - decimal.digits_count, '0');
    return;
  }
  out.append(digits, whole);
  out += '.';
  out.append(digits + whole, decimal.digits_count - whole);
}

/// `fixed_below`: decimal exponent from which PostgreSQL writes scientific notation.
template <typename Float>
void AppendFloating(std::string& out, Float value, int fixed_below) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) {
    out += '-';
    value = -value;
  }
  if (std::isinf(value)) {
    out += "Infinity";
    return;
  }
  const Decimal decimal = ShortestDigits(value);
  if (decimal.exponent >= -4 && decimal.exponent < fixed_below) {
    AppendFixedPoint(out, decimal);
  } else {
    AppendScientific(out, decimal);
  }
}

/// A decimal number split at its point and exponent, not yet evaluated.
struct NumericParts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;
};

ScanOutcome SplitNumeric(std::string_view text, NumericParts& parts) {
  TextCursor cursor(internal::TrimSpace(text));
  parts.negative = cursor.Take('-');
  if (!parts.negative) {
    cursor.Take('+');
  }
  if (internal::IsLetter(cursor.Peek())) {
    return IsSpecialNumber(cursor.rest()) ? ScanOutcome::kOutOfRange : ScanOutcome::kInvalid;
  }
  parts.whole = cursor.TakeDigits();
  if (cursor.Take('.')) {
    parts.fraction = cursor.TakeDigits();
  }
  if (parts.whole.empty() && parts.fraction.empty()) {
    return ScanOutcome::kInvalid;
  }
  if (cursor.Take('e') || cursor.Take('E')) {
    const bool negative = cursor.Take('-');
    if (!negative) {
      cursor.Take('+');
    }
    const std::string_view digits = cursor.TakeDigits();
    if (digits.empty()) {
      return ScanOutcome::kInvalid;
    }
    constexpr int64_t kExponentMax = 1'000'000'000'000;  // Beyond any length of text.
    parts.exponent = internal::DigitsValue(digits, kExponentMax);
    parts.exponent = negative ? -parts.exponent : parts.exponent;
  }
  return cursor.done() ? ScanOutcome::kOk : ScanOutcome::kInvalid;
}

/// Collects the digits whose weight is at least 10^-scale and rounds by the one behind them.
class NumericAccumulator {
 public:
  /// `position`: number of digits that still belong to the result.
  explicit NumericAccumulator(int64_t position) : position_(position) {}

  /// Returns false when the result has more than 38 digits.
  bool Add(std::string_view digits) {
    for (const char c : digits) {
      if (position_ > 0) {
        if (value_ >= kPowersOfTen[DataType::kNumericPrecisionMax - 1]) {
          return false;
        }
        value_ = value_ * 10 + (c - '0');
      } else if (position_ == 0) {
        round_up_ = c >= '5';
      } else {
        return true;
      }
      --position_;
    }
    return true;
  }

  /// Returns false as Add does.
  bool Finish(Int128& out) const {
    Int128 value = value_;
    if (position_ > 0 && value != 0) {
      if (position_ > DataType::kNumericPrecisionMax) {
        return false;
      }
      const Int128 power = kPowersOfTen[static_cast<size_t>(position_)];
      if (value > kPowersOfTen.back() / power) {
        return false;
      }
      value *= power;
    }
    out = value + (round_up_ ? 1 : 0);
    return true;
  }

 private:
  int64_t position_;
  Int128 value_ = 0;
  bool round_up_ = false;
};

}  // namespace

Int128 PowerOfTen(uint8_t exponent) {
  MR_DCHECK(exponent < kPowersOfTen.size());
  return kPowersOfTen[exponent];
}

ScanOutcome ScanInteger(std::string_view text, int64_t minimum, int64_t maximum, int64_t& out) {
  TextCursor cursor(internal::TrimSpace(text));
  const bool negative = cursor.Take('-');
  if (!negative) {
    cursor.Take('+');
  }
  const std::string_view digits = cursor.TakeDigits();
  if (digits.empty() || !cursor.done()) {
    return ScanOutcome::kInvalid;
  }
  Int128 value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
    if (value > Int128{1} << 64) {
      return ScanOutcome::kOutOfRange;
    }
  }
  value = negative ? -value : value;
  if (value < minimum || value > maximum) {
    return ScanOutcome::kOutOfRange;
  }
  out = static_cast<int64_t>(value);
  return ScanOutcome::kOk;
}

Result<int64_t> ParseInteger(std::string_view text, DataType type) {
  MR_DCHECK(type.is_integer());
  const size_t bits = type.width() * 8;
  const int64_t maximum = std::numeric_limits<int64_t>::max() >> (64 - bits);
  int64_t value = 0;
  const ScanOutcome outcome = ScanInteger(text, -maximum - 1, maximum, value);
  MR_TRY(internal::NumberStatus(outcome, type.ToString(), text));
  return value;
}

ScanOutcome ScanDouble(std::string_view text, double& out) { return ScanFloating(text, out); }
ScanOutcome ScanFloat(std::string_view text, float& out) { return ScanFloating(text, out); }

Result<double> ParseDouble(std::string_view text) {
  double value = 0;
  const ScanOutcome outcome = ScanDouble(text, value);
  MR_TRY(internal::NumberStatus(outcome, "double precision", text));
  return value;
}

Result<float> ParseFloat(std::string_view text) {
  float value = 0;
  const ScanOutcome outcome = ScanFloat(text, value);
  MR_TRY(internal::NumberStatus(outcome, "real", text));
  return value;
}

void AppendDouble(std::string& out, double value) {
  AppendFloating(out, value, std::numeric_limits<double>::digits10);
}

void AppendFloat(std::string& out, float value) {
  AppendFloating(out, value, std::numeric_limits<float>::digits10);
}

ScanOutcome ScanNumeric(std::string_view text, uint8_t precision, uint8_t scale, Int128& out) {
  NumericParts parts;
  if (const auto split = SplitNumeric(text, parts); split != ScanOutcome::kOk) {
    return split;
  }
  const auto significant = parts.whole.find_first_not_of('0');
  parts.whole.remove_prefix(std::min(significant, parts.whole.size()));
  const int64_t position = static_cast<int64_t>(parts.whole.size()) + parts.exponent + scale;
  NumericAccumulator accumulator(position);
  Int128 value = 0;
  if (!accumulator.Add(parts.whole) || !accumulator.Add(parts.fraction) ||
      !accumulator.Finish(value) || value >= PowerOfTen(precision)) {
    return ScanOutcome::kOutOfRange;
  }
  out = parts.negative ? -value : value;
  return ScanOutcome::kOk;
}

Result<Int128> ParseNumeric(std::string_view text, uint8_t precision, uint8_t scale) {
  Int128 value = 0;
  const ScanOutcome outcome = ScanNumeric(text, precision, scale, value);
  MR_TRY(internal::NumberStatus(outcome, DataType::Numeric(precision, scale).ToString(), text));
  return value;
}

void AppendNumeric(std::string& out, Int128 value, uint8_t scale) {
  std::array<char, 48> buffer{};
  char* const end = buffer.data() + buffer.size();
  char* at = end;
  const bool negative = value < 0;
  Uint128 rest = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  size_t digits = 0;
  while (rest != 0 || digits <= scale) {
    // 64-bit division is many times faster and enough for nearly all values.
    uint32_t digit;
    if (rest <= std::numeric_limits<uint64_t>::max()) {
      const auto small = static_cast<uint64_t>(rest);
      digit = static_cast<uint32_t>(small % 10);
      rest = small / 10;
    } else {
      digit = static_cast<uint32_t>(rest % 10);
      rest /= 10;
    }
    if (digits == scale && scale != 0) {
      *--at = '.';
    }
    *--at = static_cast<char>('0' + digit);
    ++digits;
  }
  if (negative) {
    *--at = '-';
  }
  out.append(at, static_cast<size_t>(end - at));
}

std::string FormatNumeric(Int128 value, uint8_t scale) {
  std::string out;
  AppendNumeric(out, value, scale);
  return out;
}

void AppendInteger(std::string& out, int64_t value) {
  std::array<char, 24> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  MR_DCHECK(error == std::errc());
  out.append(buffer.data(), static_cast<size_t>(end - buffer.data()));
}

}  // namespace millrace
