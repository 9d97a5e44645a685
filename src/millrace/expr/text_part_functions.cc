#include <algorithm>
#include <limits>
#include <string>

#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"
#include "millrace/expr/utf8_text.h"

namespace millrace::internal {

namespace {

// Parts of a text, and where they are. No text is copied.

constexpr TypeId kText = TypeId::kText;
constexpr TypeId kInt = TypeId::kInt32;

using Part = std::optional<std::string_view>;

std::string_view TextAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).Text(row);
}

int64_t IntAt(const KernelCall& call, size_t argument, size_t row) {
  return call.argument(argument).At<int32_t>(row);
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
  return BuildParts(call, 0, [&](size_t row, std::string_view text) -> Part {
    const std::string_view set = call.arguments.size() > 1 ? TextAt(call, 1, row) : " ";
    text = kLeft ? TrimLeft(text, set) : text;
    return kRight ? TrimRight(text, set) : text;
  });
}

/// Positions count from 1 and may lie before the text: they use up the length. `range(text, begin,
/// count)` cuts from 0.
template <typename Range>
Column CutKernel(const KernelCall& call, Range range) {
  return BuildParts(call, 0, [&](size_t row, std::string_view text) -> Part {
    const int64_t first = IntAt(call, 1, row) - 1;
    int64_t end = std::numeric_limits<int64_t>::max();
    if (call.arguments.size() > 2) {
      const int64_t length = IntAt(call, 2, row);
      if (length < 0) {
        call.Fail(row, ErrorCode::kNumericOutOfRange, "negative length of substring");
        return std::nullopt;
      }
      end = first + length;
    }
    const int64_t begin = std::max<int64_t>(first, 0);
    const auto count = static_cast<size_t>(std::max<int64_t>(end - begin, 0));
    return range(text, static_cast<size_t>(begin), count);
  });
}

Column SubstringKernel(const KernelCall& call) { return CutKernel(call, CharacterRange); }

Column ByteSubstringKernel(const KernelCall& call) {
  return CutKernel(call, [](std::string_view bytes, size_t begin, size_t count) {
    return bytes.substr(std::min(begin, bytes.size()), count);
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

/// Negative counts mean all but that many.
template <bool kLeft>
Column EndKernel(const KernelCall& call) {
  return BuildParts(call, 0, [&](size_t row, std::string_view text) -> Part {
    const int64_t wanted = IntAt(call, 1, row);
    if (kLeft && wanted >= 0) {
      return CharacterRange(text, 0, static_cast<size_t>(wanted));
    }
    const auto length = static_cast<int64_t>(CharacterCount(text));
    const int64_t kept = std::clamp<int64_t>(wanted < 0 ? length + wanted : wanted, 0, length);
    const int64_t first = kLeft ? 0 : length - kept;
    return CharacterRange(text, static_cast<size_t>(first), static_cast<size_t>(kept));
  });
}

Column StartsWithKernel(const KernelCall& call) {
  return BooleanResult(call, PackBits(call.rows, [&](size_t row) {
                         return TextAt(call, 0, row).starts_with(TextAt(call, 1, row));
                       }));
}

/// The field `number` from 1, from the end when negative; empty when there is none.
std::string_view SplitPart(std::string_view text, std::string_view separator, int64_t number) {
  const std::string_view none = text.substr(0, 0);
  if (separator.empty()) {
    return number == 1 || number == -1 ? text : none;
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
  return none;
}

Column SplitPartKernel(const KernelCall& call) {
  return BuildParts(call, 0, [&](size_t row, std::string_view text) -> Part {
    const int64_t number = IntAt(call, 2, row);
    if (number == 0) {
      call.Fail(row, ErrorCode::kNumericOutOfRange, "field position must not be zero");
      return std::nullopt;
    }
    return SplitPart(text, TextAt(call, 1, row), number);
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, std::vector<TypeId> arguments,
         TypeId result, Kernel kernel, bool may_fail = false) {
  out.push_back({.name = name,
                 .arguments = std::move(arguments),
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .may_fail = may_fail});
}

}  // namespace

void AddTextPartFunctions(std::vector<ScalarFunction>& out) {
  // The grammar makes trim() one of these three.
  Add(out, "btrim", {kText}, kText, TrimKernel<true, true>);
  Add(out, "btrim", {kText, kText}, kText, TrimKernel<true, true>);
  Add(out, "ltrim", {kText}, kText, TrimKernel<true, false>);
  Add(out, "ltrim", {kText, kText}, kText, TrimKernel<true, false>);
  Add(out, "rtrim", {kText}, kText, TrimKernel<false, true>);
  Add(out, "rtrim", {kText, kText}, kText, TrimKernel<false, true>);
  for (const std::string_view name : {"substring", "substr"}) {
    Add(out, name, {kText, kInt}, kText, SubstringKernel);
    Add(out, name, {kText, kInt, kInt}, kText, SubstringKernel, true);
    Add(out, name, {TypeId::kBytea, kInt}, TypeId::kBytea, ByteSubstringKernel);
    Add(out, name, {TypeId::kBytea, kInt, kInt}, TypeId::kBytea, ByteSubstringKernel, true);
  }
  Add(out, "position", {kText, kText}, kInt, PositionKernel);
  Add(out, "strpos", {kText, kText}, kInt, PositionKernel);
  Add(out, "left", {kText, kInt}, kText, EndKernel<true>);
  Add(out, "right", {kText, kInt}, kText, EndKernel<false>);
  for (const std::string_view name : {"starts_with", "^@"}) {
    Add(out, name, {kText, kText}, TypeId::kBoolean, StartsWithKernel);
  }
  Add(out, "split_part", {kText, kText, kInt}, kText, SplitPartKernel, true);
}

}  // namespace millrace::internal
