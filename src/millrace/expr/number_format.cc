#include "millrace/expr/number_format.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

/// parse_format and NUMDesc_prepare of PostgreSQL 15 (formatting.c).
class NumberFormatParser {
 public:
  NumberFormatParser(std::string_view text, NumberFormat& format) : rest_(text), format_(format) {}

  Status Parse() {
    while (!rest_.empty()) {
      MR_TRY(Next());
    }
    return {};
  }

 private:
  using Kind = NumberFormat::Token;

  static std::unexpected<Error> Invalid(std::string why) {
    return Err(ErrorCode::kInvalidCast, std::move(why));
  }

  bool Take(std::string_view upper) {
    const auto same = [](char c, char name) { return c == name || c == ToLower(name); };
    const std::string_view start = rest_.substr(0, upper.size());
    // In one case or the other, not mixed.
    const bool found = std::ranges::equal(start, upper, same) &&
                       (start.size() < 2 || IsLetter(start[0]) == false ||
                        (start[0] == upper[0]) == (start[1] == upper[1]));
    rest_.remove_prefix(found ? upper.size() : 0);
    return found;
  }

  void Add(Kind kind) { format_.nodes_.push_back({kind, {}}); }

  Status Next();
  Status Digit(bool zero);
  Status Point();
  Status Sign();
  Status OtherSign(Kind kind);
  void Text();

  std::string_view rest_;
  NumberFormat& format_;
};

Status NumberFormatParser::Digit(bool zero) {
  if (format_.has_bracket_) {
    return Invalid("digits of a number format stand before PR");
  }
  if (zero && !format_.has_zero_ && !format_.has_point_) {
    format_.has_zero_ = true;
    format_.zero_start_ = format_.pre_ + 1;
  }
  ++(format_.has_point_ ? format_.post_ : format_.pre_);
  format_.zero_end_ = zero ? format_.pre_ + format_.post_ : format_.zero_end_;
  Add(zero ? Kind::kZero : Kind::kNine);
  return {};
}

Status NumberFormatParser::Point() {
  if (format_.has_point_) {
    return Invalid("a number format has one decimal point");
  }
  format_.has_point_ = true;
  Add(Kind::kPoint);
  return {};
}

Status NumberFormatParser::Sign() {
  if (format_.has_sign_ || format_.has_plus_ || format_.has_minus_ || format_.has_bracket_) {
    return Invalid("a number format has one of S, PL, MI, SG and PR");
  }
  format_.has_sign_ = true;
  if (!format_.has_point_) {
    format_.sign_place_ = NumberFormat::SignPlace::kBefore;
    format_.digits_before_sign_ = format_.pre_;
  } else {
    format_.sign_place_ = NumberFormat::SignPlace::kBehind;
  }
  Add(Kind::kSign);
  return {};
}

Status NumberFormatParser::OtherSign(Kind kind) {
  const bool bracket = kind == Kind::kBracket;
  if (format_.has_sign_ || (bracket && (format_.has_plus_ || format_.has_minus_))) {
    return Invalid("a number format has one of S, PL, MI, SG and PR");
  }
  format_.has_bracket_ |= bracket;
  format_.has_minus_ |= kind == Kind::kMinus || kind == Kind::kPlusMinus;
  format_.has_plus_ |= kind == Kind::kPlus || kind == Kind::kPlusMinus;
  Add(kind);
  return {};
}

void NumberFormatParser::Text() {
  const auto add = [this] {
    const std::string_view character = CharacterRange(rest_, 0, 1);
    format_.nodes_.push_back({Kind::kText, std::string(character)});
    rest_.remove_prefix(character.size());
  };
  if (!rest_.starts_with('"')) {
    rest_.remove_prefix(rest_.starts_with("\\\"") ? 1 : 0);
    return add();
  }
  rest_.remove_prefix(1);
  while (!rest_.empty() && !rest_.starts_with('"')) {
    rest_.remove_prefix(rest_.front() == '\\' && rest_.size() > 1 ? 1 : 0);
    add();
  }
  rest_.remove_prefix(rest_.empty() ? 0 : 1);
}

Status NumberFormatParser::Next() {
  if (Take("FM")) {
    format_.fill_mode_ = true;
    return {};
  }
  constexpr std::string_view kMissing[] = {"EEEE", "RN", "SP", "B", "C", "L", "V"};
  for (const std::string_view missing : kMissing) {
    if (Take(missing)) {
      return Invalid(fmt::format("the pattern {} of a number format is not supported", missing));
    }
  }
  constexpr std::pair<std::string_view, Kind> kSigns[] = {
      {"MI", Kind::kMinus}, {"PL", Kind::kPlus}, {"PR", Kind::kBracket}, {"SG", Kind::kPlusMinus}};
  for (const auto& [name, kind] : kSigns) {
    if (Take(name)) {
      return OtherSign(kind);
    }
  }
  const bool lower = rest_.starts_with('t');
  if (Take("TH")) {
    Add(lower ? Kind::kLowerOrdinal : Kind::kOrdinal);
    return {};
  }
  if (Take("S")) {
    return Sign();
  }
  if (Take(".") || Take("D")) {
    return Point();
  }
  if (Take(",") || Take("G")) {
    Add(Kind::kComma);
    return {};
  }
  if (Take("9")) {
    return Digit(false);
  }
  if (Take("0")) {
    return Digit(true);
  }
  Text();
  return {};
}

Result<NumberFormat> NumberFormat::Parse(std::string_view text) {
  NumberFormat format;
  MR_TRY(NumberFormatParser(text, format).Parse());
  return format;
}

/// NUM_processor of PostgreSQL 15 (formatting.c), for one number.
class NumberWriter {
 public:
  NumberWriter(std::string& out, const NumberFormat& format, std::string_view digits, int post,
               bool negative);

  void Write();

 private:
  using Kind = NumberFormat::Token;
  using SignPlace = NumberFormat::SignPlace;

  char At(size_t index) const { return index < digits_.size() ? digits_[index] : '\0'; }
  /// '0.1' over 9.9 is ' .1'.
  bool IsSpaceBeforePoint() const {
    return !format_.has_zero_ && at_ == 0 && At(0) == '0' && post_ != 0;
  }
  bool EndsWithPoint() const { return trimmed_ && At(last_) == '.'; }

  void WriteSign();
  void WriteDigit(Kind kind);
  void WriteNumber(Kind kind);
  void WriteEnd();
  void WriteOther(const NumberFormat::Node& node);
  void WriteOrdinal(bool lower);

  std::string& out_;
  const NumberFormat& format_;
  std::string_view digits_;
  int post_;
  std::string hashes_;
  bool negative_;
  SignPlace sign_place_;
  bool bracket_;
  bool sign_written_ = false;
  bool inside_ = false;  ///< Whether the last place of a digit had one.
  int blanks_ = 0;       ///< Places before the first digit.
  int count_ = 0;
  int place_ = 0;
  size_t at_ = 0;  ///< The next of the digits.
  bool trimmed_ = false;
  size_t last_ = 0;  ///< With FM the last digit behind the point that matters.
};

NumberWriter::NumberWriter(std::string& out, const NumberFormat& format, std::string_view digits,
                           int post, bool negative)
    : out_(out),
      format_(format),
      digits_(digits),
      post_(post),
      negative_(negative),
      sign_place_(format.sign_place_),
      bracket_(format.has_bracket_) {
  const size_t point = digits.find('.');
  const auto before = static_cast<int>(point == std::string_view::npos ? digits.size() : point);
  if (before < format.pre_) {
    blanks_ = format.pre_ - before;
  } else if (before > format.pre_) {
    hashes_.assign(static_cast<size_t>(format.pre_ + post + 1), '#');
    hashes_[static_cast<size_t>(format.pre_)] = '.';
    digits_ = hashes_;
  }
  if (format.has_plus_ || format.has_minus_) {
    sign_written_ = format.has_minus_;
  } else {
    bracket_ = bracket_ && (negative || !format.fill_mode_);
    sign_written_ = !negative && format.fill_mode_ && !format.has_sign_;
    if (sign_place_ == SignPlace::kBefore && format.pre_ == format.digits_before_sign_) {
      sign_place_ = SignPlace::kBehind;
    }
  }
  count_ = post + format.pre_ - 1;
  const size_t dot = digits_.find('.');
  if (format.fill_mode_ && format.has_point_ && dot != std::string_view::npos) {
    trimmed_ = true;
    last_ = std::max(digits_.find_last_not_of('0'), dot);
    if (format.zero_end_ > blanks_) {
      const size_t zero =
          std::min(digits_.size() - 1, static_cast<size_t>(format.zero_end_ - blanks_));
      last_ = std::max(last_, zero);
    }
  }
  count_ += !sign_written_ && blanks_ == 0 ? 1 : 0;
}

void NumberWriter::WriteSign() {
  const int zero_start = format_.zero_start_ - 1;
  const bool starts = place_ >= blanks_ || (format_.has_zero_ && zero_start == place_);
  if (sign_written_ || !starts || (IsSpaceBeforePoint() && !EndsWithPoint())) {
    return;
  }
  if (format_.has_sign_) {
    if (sign_place_ == SignPlace::kBefore) {
      out_ += negative_ ? '-' : '+';
      sign_written_ = true;
    }
    return;
  }
  if (bracket_) {
    out_ += negative_ ? '<' : ' ';
  } else if (negative_) {
    out_ += '-';
  } else {
    out_ += format_.fill_mode_ ? "" : " ";
  }
  sign_written_ = true;
}

void NumberWriter::WriteDigit(Kind kind) {
  const char digit = At(at_);
  if (digit == '.') {
    out_ += !EndsWithPoint() || format_.fill_mode_ ? "." : "";
  } else if (trimmed_ && at_ > last_ && kind != Kind::kZero) {
    // Nothing that matters.
  } else if (IsSpaceBeforePoint()) {
    out_ += !format_.fill_mode_ ? " " : EndsWithPoint() ? "0" : "";
  } else if (digit != '\0') {
    out_ += digit;
    inside_ = true;
  }
  at_ += digit != '\0' ? 1 : 0;
}

void NumberWriter::WriteEnd() {
  int end = count_ + (blanks_ != 0 ? 1 : 0) + (format_.has_point_ ? 1 : 0);
  end = trimmed_ && last_ == at_ ? place_ : end;
  if (place_ + 1 != end) {
    return;
  }
  if (sign_written_ && bracket_) {
    out_ += negative_ ? '>' : ' ';
  } else if (format_.has_sign_ && sign_place_ == SignPlace::kBehind) {
    out_ += negative_ ? '-' : '+';
  }
}

void NumberWriter::WriteNumber(Kind kind) {
  inside_ = false;
  WriteSign();
  const int zero_start = format_.zero_start_ - 1;
  const bool blank = place_ < blanks_;
  if (blank && (!format_.has_zero_ || zero_start > place_)) {
    out_ += format_.fill_mode_ ? "" : " ";
  } else if (blank) {
    out_ += '0';
    inside_ = true;
  } else {
    WriteDigit(kind);
  }
  WriteEnd();
  ++place_;
}

void NumberWriter::WriteOrdinal(bool lower) {
  if (digits_.starts_with('#') || negative_ || format_.has_point_) {
    return;
  }
  const bool teens = digits_.size() > 1 && digits_[digits_.size() - 2] == '1';
  const char last = teens ? '0' : digits_.back();
  std::string ending = last == '1' ? "ST" : last == '2' ? "ND" : last == '3' ? "RD" : "TH";
  if (lower) {
    std::ranges::transform(ending, ending.begin(), ToLower);
  }
  out_ += ending;
}

void NumberWriter::WriteOther(const NumberFormat::Node& node) {
  const std::string_view blank = format_.fill_mode_ ? "" : " ";
  switch (node.token) {
    case Kind::kComma:
      out_ += inside_ ? "," : blank;
      break;
    case Kind::kMinus:
      out_ += negative_ ? "-" : blank;
      break;
    case Kind::kPlus:
      out_ += negative_ ? blank : "+";
      break;
    case Kind::kPlusMinus:
      out_ += negative_ ? "-" : "+";
      break;
    case Kind::kOrdinal:
    case Kind::kLowerOrdinal:
      WriteOrdinal(node.token == Kind::kLowerOrdinal);
      break;
    case Kind::kText:
      out_ += node.text;
      break;
    default:
      break;  // S and PR are written with the digits.
  }
}

void NumberWriter::Write() {
  for (const NumberFormat::Node& node : format_.nodes_) {
    const bool number =
        node.token == Kind::kNine || node.token == Kind::kZero || node.token == Kind::kPoint;
    if (number) {
      WriteNumber(node.token);
    } else {
      WriteOther(node);
    }
  }
}

void NumberFormat::Append(std::string& out, std::string_view digits, int post,
                          bool negative) const {
  NumberWriter(out, *this, digits, post, negative).Write();
}

}  // namespace millrace::internal
