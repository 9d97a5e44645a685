#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "millrace/expr/functions.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kInt = TypeId::kInt32;
const DataType kTextType = DataType::Of(TypeId::kText);
const DataType kIntType = DataType::Of(TypeId::kInt32);

std::string_view TextAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).Text(row);
}

int64_t IntAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).At<int32_t>(row);
}

/// `convert` maps one ASCII character; others stay, as in collation "C".
template <typename Convert>
Column ConvertCase(const KernelCall& call, Convert convert) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.assign(TextAt(call, 0, row));
    std::ranges::transform(scratch, scratch.begin(), convert);
    out.AppendText(scratch);
  });
}

Column LowerKernel(const KernelCall& call) {
  return ConvertCase(
      call, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
}

Column UpperKernel(const KernelCall& call) {
  return ConvertCase(
      call, [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
}

Column LengthKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(
      call, [&](size_t row) { return static_cast<int32_t>(CharacterCount(TextAt(call, 0, row))); });
}

Column OctetLengthKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(
      call, [&](size_t row) { return static_cast<int32_t>(TextAt(call, 0, row).size()); });
}

/// Whether the character of `text` that begins at `at` is one of `set`.
bool IsAmong(std::string_view text, size_t at, std::string_view set) {
  const std::string_view character = CharacterRange(text.substr(at), 0, 1);
  return set.find(character) != std::string_view::npos;
}

std::string_view TrimLeft(std::string_view text, std::string_view set) {
  while (!text.empty() && IsAmong(text, 0, set)) {
    text.remove_prefix(CharacterOffset(text, 1));
  }
  return text;
}

std::string_view TrimRight(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && !StartsCharacter(text[last])) {
      --last;
    }
    if (!IsAmong(text, last, set)) {
      break;
    }
    text = text.substr(0, last);
  }
  return text;
}

template <bool kLeft, bool kRight>
Column TrimKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view set = call.arguments.size() > 1 ? TextAt(call, 1, row) : " ";
    std::string_view text = TextAt(call, 0, row);
    text = kLeft ? TrimLeft(text, set) : text;
    out.AppendText(kRight ? TrimRight(text, set) : text);
  });
}

Column SubstringKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    // Positions count from 1 and may lie before the text: they use up the length.
    const int64_t first = IntAt(call, 1, row) - 1;
    int64_t end = std::numeric_limits<int64_t>::max();
    if (call.arguments.size() > 2) {
      const int64_t length = IntAt(call, 2, row);
      if (length < 0) {
        call.Fail(row, ErrorCode::kNumericOutOfRange, "negative length of substring");
        out.AppendNull();
        return;
      }
      end = first + length;
    }
    const int64_t begin = std::max<int64_t>(first, 0);
    const auto count = static_cast<size_t>(std::max<int64_t>(end - begin, 0));
    out.AppendText(CharacterRange(TextAt(call, 0, row), static_cast<size_t>(begin), count));
  });
}

Column PositionKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const std::string_view text = TextAt(call, 0, row);
    const size_t at = text.find(TextAt(call, 1, row));
    return at == std::string_view::npos
               ? 0
               : static_cast<int32_t>(CharacterCount(text.substr(0, at)) + 1);
  });
}

Column ReplaceKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view text = TextAt(call, 0, row);
    const std::string_view from = TextAt(call, 1, row);
    const std::string_view to = TextAt(call, 2, row);
    scratch.clear();
    size_t at = 0;
    size_t found = from.empty() ? std::string_view::npos : text.find(from);
    while (found != std::string_view::npos) {
      scratch.append(text, at, found - at).append(to);
      at = found + from.size();
      found = text.find(from, at);
    }
    out.AppendText(scratch.append(text, at));
  });
}

Column JoinKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.clear();
    for (const Operand& operand : call.arguments) {
      if (!operand.IsNull(row)) {
        scratch += operand.Text(row);
      }
    }
    out.AppendText(scratch);
  });
}

/// Negative counts mean all but that many.
template <bool kLeft>
Column EndKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const std::string_view text = TextAt(call, 0, row);
    const auto length = static_cast<int64_t>(CharacterCount(text));
    const int64_t wanted = IntAt(call, 1, row);
    const int64_t kept = std::clamp<int64_t>(wanted < 0 ? length + wanted : wanted, 0, length);
    const int64_t first = kLeft ? 0 : length - kept;
    out.AppendText(CharacterRange(text, static_cast<size_t>(first), static_cast<size_t>(kept)));
  });
}

Column StartsWithKernel(const KernelCall& call) {
  return BooleanResult(call, PackBits(call.rows, [&](size_t row) {
                         return TextAt(call, 0, row).starts_with(TextAt(call, 1, row));
                       }));
}

/// The field `number` from 1, from the end when negative; empty when there is none.
std::string_view SplitPart(std::string_view text, std::string_view separator, int64_t number) {
  if (separator.empty()) {
    return number == 1 || number == -1 ? text : std::string_view();
  }
  if (number < 0) {
    int64_t fields = 1;
    for (size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator, at + separator.size())) {
      ++fields;
    }
    number = fields + number + 1;
  }
  size_t begin = 0;
  for (int64_t field = 1; number > 0; ++field) {
    const size_t end = text.find(separator, begin);
    if (field == number) {
      return text.substr(begin, end == std::string_view::npos ? end : end - begin);
    }
    if (end == std::string_view::npos) {
      break;
    }
    begin = end + separator.size();
  }
  return {};
}

Column SplitPartKernel(const KernelCall& call) {
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const int64_t number = IntAt(call, 2, row);
    if (number == 0) {
      call.Fail(row, ErrorCode::kNumericOutOfRange, "field position must not be zero");
      out.AppendNull();
      return;
    }
    out.AppendText(SplitPart(TextAt(call, 0, row), TextAt(call, 1, row), number));
  });
}

Column ReverseKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    std::string_view text = TextAt(call, 0, row);
    scratch.clear();
    while (!text.empty()) {
      size_t last = text.size() - 1;
      while (last > 0 && !StartsCharacter(text[last])) {
        --last;
      }
      scratch += text.substr(last);
      text = text.substr(0, last);
    }
    out.AppendText(scratch);
  });
}

void AddText(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
             Kernel kernel, bool may_fail = false) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = kTextType,
                 .kernel = kernel,
                 .may_fail = may_fail});
}

void AddInteger(std::vector<ScalarFunction>& out, std::string_view name,
                std::vector<TypeId> arguments, Kernel kernel) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = kIntType,
                 .kernel = kernel,
                 .may_fail = false});
}

}  // namespace

void AddTextFunctions(std::vector<ScalarFunction>& out) {
  AddText(out, "lower", {kText}, LowerKernel);
  AddText(out, "upper", {kText}, UpperKernel);
  for (const std::string_view name : {"length", "char_length", "character_length"}) {
    AddInteger(out, name, {kText}, LengthKernel);
  }
  AddInteger(out, "octet_length", {kText}, OctetLengthKernel);
  for (const std::string_view name : {"trim", "btrim"}) {
    AddText(out, name, {kText}, TrimKernel<true, true>);
    AddText(out, name, {kText, kText}, TrimKernel<true, true>);
  }
  AddText(out, "ltrim", {kText}, TrimKernel<true, false>);
  AddText(out, "ltrim", {kText, kText}, TrimKernel<true, false>);
  AddText(out, "rtrim", {kText}, TrimKernel<false, true>);
  AddText(out, "rtrim", {kText, kText}, TrimKernel<false, true>);
  for (const std::string_view name : {"substring", "substr"}) {
    AddText(out, name, {kText, kInt}, SubstringKernel);
    AddText(out, name, {kText, kInt, kInt}, SubstringKernel, true);
  }
  AddInteger(out, "position", {kText, kText}, PositionKernel);
  AddInteger(out, "strpos", {kText, kText}, PositionKernel);
  AddText(out, "replace", {kText, kText, kText}, ReplaceKernel);
  AddText(out, "||", {kText, kText}, JoinKernel);
  out.push_back({.name = "concat",
                 .arguments = {kText},
                 .result = kTextType,
                 .kernel = JoinKernel,
                 .variadic = true,
                 .strict = false,
                 .may_fail = false});
  AddText(out, "left", {kText, kInt}, EndKernel<true>);
  AddText(out, "right", {kText, kInt}, EndKernel<false>);
  out.push_back({.name = "starts_with",
                 .arguments = {kText, kText},
                 .result = DataType::Of(TypeId::kBoolean),
                 .kernel = StartsWithKernel,
                 .may_fail = false});
  AddText(out, "split_part", {kText, kText, kInt}, SplitPartKernel, true);
  AddText(out, "reverse", {kText}, ReverseKernel);
}

}  // namespace millrace::internal
