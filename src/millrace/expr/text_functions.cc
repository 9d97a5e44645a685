#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "millrace/data/text_cursor.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kBytea = TypeId::kBytea;
constexpr TypeId kInt = TypeId::kInt32;

std::string_view TextAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).Text(row);
}

int64_t IntAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).At<int32_t>(row);
}

char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// Case: only ASCII letters have one, as in collation "C".

template <char (*kConvert)(char)>
Column CaseKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.assign(TextAt(call, 0, row));
    std::ranges::transform(scratch, scratch.begin(), kConvert);
    out.AppendText(scratch);
  });
}

Column InitcapKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.assign(TextAt(call, 0, row));
    bool in_word = false;
    for (char& c : scratch) {
      c = in_word ? ToLower(c) : ToUpper(c);
      in_word = IsLetter(c) || IsDigit(c);
    }
    out.AppendText(scratch);
  });
}

// Sizes

Column LengthKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(
      call, [&](size_t row) { return static_cast<int32_t>(CharacterCount(TextAt(call, 0, row))); });
}

template <size_t kFactor>
Column ByteLengthKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    return static_cast<int32_t>(TextAt(call, 0, row).size() * kFactor);
  });
}

Column AsciiKernel(const KernelCall& call) {
  return ComputeRows<int32_t>(call, [&](size_t row) {
    const std::string_view first = CharacterRange(TextAt(call, 0, row), 0, 1);
    return first.empty() ? 0 : static_cast<int32_t>(CharacterCode(first));
  });
}

// Building

Column ReplaceKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view text = TextAt(call, 0, row);
    const std::string_view from = TextAt(call, 1, row);
    const std::string_view to = TextAt(call, 2, row);
    size_t at = 0;
    size_t found = from.empty() ? std::string_view::npos : text.find(from);
    while (found != std::string_view::npos && out.size() <= kTextBytesMax) {
      out.append(text, at, found - at).append(to);
      at = found + from.size();
      found = text.find(from, at);
    }
    out.append(text, at);
    return true;
  });
}

Column JoinKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    for (const Operand& operand : call.arguments) {
      if (!operand.IsNull(row)) {
        out += operand.Text(row);
      }
    }
    return true;
  });
}

/// The first argument between the others; NULL when it is NULL.
Column JoinWithKernel(const KernelCall& call) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    const Operand& separator = call.argument(0);
    if (separator.IsNull(row)) {
      out.AppendNull();
      return;
    }
    scratch.clear();
    bool first = true;
    for (const Operand& operand : call.arguments.subspan(1)) {
      if (!operand.IsNull(row)) {
        scratch += first ? "" : separator.Text(row);
        scratch += operand.Text(row);
        first = false;
      }
    }
    AppendBuilt(call, row, scratch, out);
  });
}

Column RepeatKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view text = TextAt(call, 0, row);
    const auto count = static_cast<size_t>(std::max<int64_t>(IntAt(call, 1, row), 0));
    if (text.size() * count > kTextBytesMax) {
      FailTooLong(call, row);
      return false;
    }
    out.reserve(text.size() * count);
    for (size_t i = 0; i < count && !text.empty(); ++i) {
      out += text;
    }
    return true;
  });
}

/// Fills up to a length in characters; cuts longer text at its end.
template <bool kLeft>
Column PadKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view text = TextAt(call, 0, row);
    const auto wanted = static_cast<size_t>(std::max<int64_t>(IntAt(call, 1, row), 0));
    const std::string_view fill = call.arguments.size() > 2 ? TextAt(call, 2, row) : " ";
    const size_t length = CharacterCount(text);
    if (length >= wanted || fill.empty()) {
      out = CharacterRange(text, 0, wanted);
      return true;
    }
    const size_t missing = wanted - length;
    const size_t fill_length = CharacterCount(fill);
    if (missing / fill_length > kTextBytesMax / fill.size()) {
      FailTooLong(call, row);
      return false;
    }
    out = kLeft ? std::string_view() : text;
    for (size_t i = 0; i < missing / fill_length; ++i) {
      out += fill;
    }
    out += CharacterRange(fill, 0, missing % fill_length);
    out += kLeft ? text : std::string_view();
    return true;
  });
}

Column ReverseKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    std::string_view text = TextAt(call, 0, row);
    while (!text.empty()) {
      size_t last = text.size() - 1;
      while (last > 0 && !StartsCharacter(text[last])) {
        --last;
      }
      out += text.substr(last);
      text = text.substr(0, last);
    }
    return true;
  });
}

Column ChrKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    constexpr int64_t kLast = 0x10ffff;
    const int64_t code = IntAt(call, 0, row);
    if (code < 1 || code > kLast || (code >= 0xd800 && code < 0xe000)) {
      call.Fail(row, ErrorCode::kNumericOutOfRange,
                fmt::format("there is no character of number {}", code));
      return false;
    }
    AppendCharacter(out, static_cast<uint32_t>(code));
    return true;
  });
}

/// Replaces each character of `from` by the one at its place in `to`, or by nothing.
Column TranslateKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    std::string_view text = TextAt(call, 0, row);
    const std::string_view from = TextAt(call, 1, row);
    const std::string_view to = TextAt(call, 2, row);
    while (!text.empty()) {
      const std::string_view character = CharacterRange(text, 0, 1);
      const size_t found = from.find(character);
      if (found == std::string_view::npos) {
        out += character;
      } else {
        out += CharacterRange(to, CharacterCount(from.substr(0, found)), 1);
      }
      text.remove_prefix(character.size());
    }
    return true;
  });
}

/// overlay(text PLACING part FROM first [FOR count]).
Column OverlayKernel(const KernelCall& call) {
  return BuildTexts(call, [&](size_t row, std::string& out) {
    const std::string_view text = TextAt(call, 0, row);
    const std::string_view part = TextAt(call, 1, row);
    const int64_t first = IntAt(call, 2, row);
    const int64_t count = call.arguments.size() > 3 ? IntAt(call, 3, row)
                                                    : static_cast<int64_t>(CharacterCount(part));
    if (first < 1 || first + count > std::numeric_limits<int32_t>::max()) {
      call.Fail(row, ErrorCode::kNumericOutOfRange, "overlay position out of range");
      return false;
    }
    const auto skipped = static_cast<size_t>(std::max<int64_t>(first + count - 1, 0));
    out.append(CharacterRange(text, 0, static_cast<size_t>(first - 1)));
    out.append(part);
    out.append(text.substr(CharacterOffset(text, skipped)));
    return true;
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         TypeId result, Kernel kernel, bool may_fail = true) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .may_fail = may_fail});
}

void AddVariadic(std::vector<ScalarFunction>& out, std::string_view name,
                 std::vector<TypeId> arguments, Kernel kernel, bool may_give_null) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(kText),
                 .kernel = kernel,
                 .variadic = true,
                 .strict = false,
                 .may_give_null = may_give_null});
}

}  // namespace

void AddTextFunctions(std::vector<ScalarFunction>& out) {
  Add(out, "lower", {kText}, kText, CaseKernel<ToLower>, false);
  Add(out, "upper", {kText}, kText, CaseKernel<ToUpper>, false);
  Add(out, "initcap", {kText}, kText, InitcapKernel, false);
  for (const std::string_view name : {"length", "char_length", "character_length"}) {
    Add(out, name, {kText}, kInt, LengthKernel, false);
  }
  Add(out, "length", {kBytea}, kInt, ByteLengthKernel<1>, false);
  for (const TypeId type : {kText, kBytea}) {
    Add(out, "octet_length", {type}, kInt, ByteLengthKernel<1>, false);
    Add(out, "bit_length", {type}, kInt, ByteLengthKernel<8>, false);
    Add(out, "||", {type, type}, type, JoinKernel);
  }
  Add(out, "ascii", {kText}, kInt, AsciiKernel, false);
  Add(out, "chr", {kInt}, kText, ChrKernel);
  Add(out, "replace", {kText, kText, kText}, kText, ReplaceKernel);
  AddVariadic(out, "concat", {kText}, JoinKernel, false);
  AddVariadic(out, "concat_ws", {kText, kText}, JoinWithKernel, true);
  Add(out, "repeat", {kText, kInt}, kText, RepeatKernel);
  Add(out, "lpad", {kText, kInt}, kText, PadKernel<true>);
  Add(out, "lpad", {kText, kInt, kText}, kText, PadKernel<true>);
  Add(out, "rpad", {kText, kInt}, kText, PadKernel<false>);
  Add(out, "rpad", {kText, kInt, kText}, kText, PadKernel<false>);
  Add(out, "reverse", {kText}, kText, ReverseKernel, false);
  Add(out, "translate", {kText, kText, kText}, kText, TranslateKernel);
  Add(out, "overlay", {kText, kText, kInt}, kText, OverlayKernel);
  Add(out, "overlay", {kText, kText, kInt, kInt}, kText, OverlayKernel);
}

}  // namespace millrace::internal
