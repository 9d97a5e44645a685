#include "millrace/codec/field_path.h"

#include <fmt/format.h>

#include "millrace/data/text_cursor.h"

namespace millrace {

namespace {

std::unexpected<Error> Refused(std::string_view text) {
  return std::unexpected(
      Error(ErrorCode::kConfigInvalidValue, fmt::format("'{}' names no field", text))
          .WithHint("write names with dots between, such as bid.price, and | between several"));
}

/// Takes a name in quotes; false when it does not end.
bool TakeQuoted(internal::TextCursor& cursor, std::string& name) {
  while (!cursor.done()) {
    const char c = cursor.Peek();
    cursor.Skip();
    if (c == '"' && !cursor.Take('"')) {
      return true;
    }
    name += c;
  }
  return false;
}

/// Takes one name; false when there is none.
bool TakeName(internal::TextCursor& cursor, std::string& name) {
  cursor.SkipSpace();
  if (cursor.Take('"')) {
    const bool ended = TakeQuoted(cursor, name);
    cursor.SkipSpace();
    return ended;
  }
  while (!cursor.done() && cursor.Peek() != '.' && cursor.Peek() != '|' && cursor.Peek() != '"') {
    name += cursor.Peek();
    cursor.Skip();
  }
  name = internal::TrimSpace(name);
  return !name.empty();
}

}  // namespace

Result<std::vector<FieldPath>> ParseFieldPaths(std::string_view text) {
  std::vector<FieldPath> paths(1);
  internal::TextCursor cursor(text);
  while (true) {
    std::string name;
    if (!TakeName(cursor, name)) {
      return Refused(text);
    }
    paths.back().push_back(std::move(name));
    if (cursor.done()) {
      return paths;
    }
    if (cursor.Take('|')) {
      paths.emplace_back();
    } else if (!cursor.Take('.')) {
      return Refused(text);
    }
  }
}

std::string PathText(const FieldPath& path) { return fmt::format("{}", fmt::join(path, ".")); }

}  // namespace millrace
