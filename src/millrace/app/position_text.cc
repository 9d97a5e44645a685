#include "millrace/app/position_text.h"

#include <charconv>

#include <fmt/format.h>

namespace millrace {

std::string FormatPosition(std::span<const Offset> offsets) {
  std::string text;
  for (const Offset offset : offsets) {
    fmt::format_to(std::back_inserter(text), "{}{}", text.empty() ? "" : ".", offset);
  }
  return text;
}

Result<std::vector<Offset>> ParsePosition(std::string_view text, size_t partitions) {
  std::vector<Offset> offsets;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    const bool more = next < end && *next == '.' && next + 1 < end;
    if (error != std::errc() || value < 0 || (next != end && !more)) {
      break;
    }
    offsets.emplace_back(value);
    at = more ? next + 1 : next;
  }
  if (at != end || offsets.size() != partitions) {
    return Err(ErrorCode::kHttpBadRequest,
               fmt::format("'{}' is not a position of {} partitions", text, partitions));
  }
  return offsets;
}

}  // namespace millrace
