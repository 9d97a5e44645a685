#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"
#include "millrace/data/text_format.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/quoting.h"
#include "millrace/expr/text_rows.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr int64_t kNumberMax = std::numeric_limits<int32_t>::max();

/// A part of a format: text, then a placeholder unless `type` is NUL.
struct FormatPiece {
  std::string_view text;
  char type = '\0';  ///< s, I, L.
  size_t argument = 0;
  bool left_align = false;
  int64_t width = 0;
  std::optional<size_t> width_argument;  ///< `*`.
};

/// Reads the format of format(): %[position$][-][width]type, %%.
/// https://www.postgresql.org/docs/15/functions-string.html#FUNCTIONS-STRING-FORMAT
class FormatReader {
 public:
  /// `arguments`: the number of the call's arguments; the format itself is number 0.
  FormatReader(std::string_view format, size_t arguments) : rest_(format), arguments_(arguments) {}

  Status Read(std::vector<FormatPiece>& pieces) {
    pieces.clear();
    size_t percent = rest_.find('%');
    while (percent != std::string_view::npos) {
      FormatPiece piece{.text = rest_.substr(0, percent)};
      rest_.remove_prefix(percent + 1);
      if (rest_.starts_with('%')) {
        pieces.push_back(piece);
        pieces.push_back({.text = rest_.substr(0, 1)});
        rest_.remove_prefix(1);
      } else {
        MR_TRY(ReadPlaceholder(piece));
        pieces.push_back(piece);
      }
      percent = rest_.find('%');
    }
    pieces.push_back({.text = rest_});
    return {};
  }

 private:
  static std::unexpected<Error> Invalid(std::string why) {
    return Err(ErrorCode::kInvalidCast, std::move(why));
  }

  Result<int64_t> TakeNumber() {
    TextCursor cursor(rest_);
    const int64_t value = DigitsValue(cursor.TakeDigits(), kNumberMax + 1);
    rest_ = cursor.rest();
    if (value > kNumberMax) {
      return Invalid("a number in a format is out of range");
    }
    return value;
  }

  Result<size_t> TakePosition() {
    MR_ASSIGN(const int64_t position, TakeNumber());
    if (!rest_.starts_with('$')) {
      return Invalid("a position in a format ends with \"$\"");
    }
    rest_.remove_prefix(1);
    if (position == 0) {
      return Invalid("format specifies argument 0, but arguments are numbered from 1");
    }
    return static_cast<size_t>(position);
  }

  bool AtDigit() const { return !rest_.empty() && IsDigit(rest_.front()); }

  Status ReadPlaceholder(FormatPiece& piece) {
    std::optional<size_t> position;
    const size_t behind = rest_.find_first_not_of("0123456789");
    if (AtDigit() && behind != std::string_view::npos && rest_[behind] == '$') {
      MR_ASSIGN(position, TakePosition());
    }
    while (rest_.starts_with('-')) {
      piece.left_align = true;
      rest_.remove_prefix(1);
    }
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      piece.width_argument = next_;
      if (AtDigit()) {
        MR_ASSIGN(piece.width_argument, TakePosition());
      }
      next_ = *piece.width_argument + 1;
      MR_TRY(CheckArgument(*piece.width_argument));
    } else if (AtDigit()) {
      MR_ASSIGN(piece.width, TakeNumber());
    }
    if (rest_.empty()) {
      return Invalid("unterminated format() type specifier");
    }
    piece.type = rest_.front();
    if (piece.type != 's' && piece.type != 'I' && piece.type != 'L') {
      return Invalid(
          fmt::format("unrecognized format() type specifier \"{}\"", CharacterRange(rest_, 0, 1)));
    }
    rest_.remove_prefix(1);
    piece.argument = position.value_or(next_);
    next_ = piece.argument + 1;
    return CheckArgument(piece.argument);
  }

  Status CheckArgument(size_t argument) const {
    return argument < arguments_ ? Status() : Invalid("too few arguments for format()");
  }

  std::string_view rest_;
  size_t arguments_;
  size_t next_ = 1;
};

using FormatPieces = std::vector<FormatPiece>;

/// A literal format with its pieces, which are views into it.
struct PreparedFormat {
  std::string text;
  FormatPieces pieces;
};

Result<Prepared> PrepareFormat(std::span<const Value* const> literals) {
  if (literals[0] == nullptr) {
    return nullptr;
  }
  auto prepared = std::make_shared<PreparedFormat>();
  prepared->text = literals[0]->Get<std::string>();
  MR_TRY(FormatReader(prepared->text, literals.size()).Read(prepared->pieces));
  return prepared;
}

/// One row of format().
class RowFormatter {
 public:
  RowFormatter(const KernelCall& call, size_t row, std::string& out)
      : call_(call), row_(row), out_(out) {}

  Status Append(const FormatPiece& piece) {
    out_ += piece.text;
    if (piece.type == '\0') {
      return {};
    }
    MR_TRY(FormatArgument(piece));
    MR_ASSIGN(int64_t width, WidthOf(piece));
    const bool left = piece.left_align || width < 0;
    width = width < 0 ? -width : width;
    const auto length = static_cast<int64_t>(CharacterCount(value_));
    if (width > static_cast<int64_t>(kTextBytesMax)) {
      return Err(ErrorCode::kNumericOutOfRange, "a width in a format is out of range");
    }
    const auto fill = static_cast<size_t>(std::max<int64_t>(width - length, 0));
    out_.append(left ? 0 : fill, ' ').append(value_).append(left ? fill : 0, ' ');
    return {};
  }

 private:
  Result<int64_t> WidthOf(const FormatPiece& piece) const {
    if (!piece.width_argument) {
      return piece.width;
    }
    const Operand& operand = call_.argument(*piece.width_argument);
    return operand.IsNull(row_) ? Result<int64_t>(0)
                                : ParseInteger(operand.Text(row_), DataType::Of(TypeId::kInt32));
  }

  Status FormatArgument(const FormatPiece& piece) {
    const Operand& operand = call_.argument(piece.argument);
    value_.clear();
    if (operand.IsNull(row_)) {
      if (piece.type == 'I') {
        return Err(ErrorCode::kInvalidCast, "null values cannot be formatted as an SQL identifier");
      }
      value_ = piece.type == 'L' ? "NULL" : "";
      return {};
    }
    const std::string_view text = operand.Text(row_);
    if (piece.type == 'I') {
      AppendQuotedIdentifier(value_, text);
    } else if (piece.type == 'L') {
      AppendQuotedLiteral(value_, text);
    } else {
      value_ = text;
    }
    return {};
  }

  const KernelCall& call_;
  size_t row_;
  std::string& out_;
  std::string value_;
};

Status FormatRow(const KernelCall& call, size_t row, FormatPieces& pieces, std::string& out) {
  const auto* prepared = static_cast<const PreparedFormat*>(call.prepared);
  if (prepared == nullptr) {
    MR_TRY(FormatReader(call.argument(0).Text(row), call.arguments.size()).Read(pieces));
  }
  RowFormatter formatter(call, row, out);
  for (const FormatPiece& piece : prepared == nullptr ? pieces : prepared->pieces) {
    MR_TRY(formatter.Append(piece));
    if (out.size() > kTextBytesMax) {
      break;
    }
  }
  return {};
}

Column FormatKernel(const KernelCall& call) {
  FormatPieces pieces;
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    if (call.argument(0).IsNull(row)) {
      out.AppendNull();
      return;
    }
    scratch.clear();
    const Status done = FormatRow(call, row, pieces, scratch);
    if (done) {
      AppendBuilt(call, row, scratch, out);
    } else {
      call.Fail(row, done.error().code(), done.error().message());
      out.AppendNull();
    }
  });
}

template <void (*kAppend)(std::string&, std::string_view)>
Column QuoteKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    kAppend(out, call.argument(0).Text(row));
    return true;
  });
}

Column QuoteNullableKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    if (call.argument(0).IsNull(row)) {
      out = "NULL";
    } else {
      AppendQuotedLiteral(out, call.argument(0).Text(row));
    }
    return true;
  });
}

}  // namespace

void AddFormatFunctions(std::vector<ScalarFunction>& out) {
  const DataType text = DataType::Of(kText);
  const auto add = [&](std::string_view name, std::vector<TypeId> arguments, bool variadic) {
    out.push_back({.name = name,
                   .arguments = std::move(arguments),
                   .result = text,
                   .kernel = FormatKernel,
                   .prepare = PrepareFormat,
                   .variadic = variadic,
                   .strict = false,
                   .may_give_null = true});
  };
  add("format", {kText}, false);
  add("format", {kText, kText}, true);
  out.push_back({.name = "quote_literal",
                 .arguments = {kText},
                 .result = text,
                 .kernel = QuoteKernel<AppendQuotedLiteral>});
  out.push_back({.name = "quote_ident",
                 .arguments = {kText},
                 .result = text,
                 .kernel = QuoteKernel<AppendQuotedIdentifier>});
  out.push_back({.name = "quote_nullable",
                 .arguments = {kText},
                 .result = text,
                 .kernel = QuoteNullableKernel,
                 .strict = false});
}

}  // namespace millrace::internal
