#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "millrace/expr/kernel.h"

namespace millrace::internal {

/// A function builds no longer text than this, so that nested calls cannot fill the memory.
inline constexpr size_t kTextBytesMax = size_t{4} << 20;

inline void FailTooLong(const KernelCall& call, size_t row) {
  call.Fail(row, ErrorCode::kNumericOutOfRange,
            fmt::format("text of more than {} bytes", kTextBytesMax));
}

/// Appends what a kernel has built; fails the row when it is too long.
inline void AppendBuilt(const KernelCall& call, size_t row, std::string_view text,
                        ColumnBuilder& out) {
  if (text.size() > kTextBytesMax) {
    FailTooLong(call, row);
    out.AppendNull();
  } else {
    out.AppendText(text);
  }
}

/// Calls `build(row, out)` for rows that are not NULL; it appends to `out`, which is empty, and
/// returns false when the row has failed.
template <typename Build>
Column BuildTexts(const KernelCall& call, Build build) {
  std::string scratch;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    scratch.clear();
    if (build(row, scratch)) {
      AppendBuilt(call, row, scratch, out);
    } else {
      out.AppendNull();
    }
  });
}

/// Builds a text result whose values are mostly parts of the texts of one argument: those refer to
/// the argument's buffers instead of being copied.
class PartBuilder {
 public:
  PartBuilder(const KernelCall& call, size_t argument)
      : source_(call.argument(argument)), builder_(call.type) {
    builder_.Reserve(call.rows);
    for (const BufferPtr& buffer : source_.column.text_buffers()) {
      builder_.AddBacking(buffer);
    }
  }

  /// `part` lies in the source's text at `row`.
  void AppendPart(size_t row, std::string_view part) {
    if (part.size() <= TextView::kInlineMax) {
      builder_.AppendText(part);
      return;
    }
    const auto views = source_.column.Values<TextView>();
    builder_.AppendBackedText(part, views[source_.constant ? 0 : row].buffer());
  }
  void AppendText(std::string_view text) { builder_.AppendText(text); }
  void AppendNull() { builder_.AppendNull(); }
  Column Finish() { return builder_.Finish(); }

 private:
  const Operand& source_;
  ColumnBuilder builder_;
};

/// Calls `part(row, text) -> std::optional<std::string_view>`, a part of `text`, the value of
/// argument `argument`, or NULL; only for rows that are not NULL.
template <typename Part>
Column BuildParts(const KernelCall& call, size_t argument, Part part) {
  PartBuilder builder(call, argument);
  const Operand& source = call.argument(argument);
  for (size_t row = 0; row < call.rows; ++row) {
    const std::optional<std::string_view> found =
        call.IsValid(row) ? part(row, source.Text(row)) : std::nullopt;
    if (found) {
      builder.AppendPart(row, *found);
    } else {
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

}  // namespace millrace::internal
