#include "millrace/serve/event_text.h"

#include <algorithm>

namespace millrace::serve {

namespace {

void AppendLine(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

}  // namespace

void AppendEvent(std::string& out, std::string_view type, std::string_view id,
                 std::string_view data) {
  if (!type.empty()) {
    AppendLine(out, "event", type);
  }
  if (!id.empty()) {
    AppendLine(out, "id", id);
  }
  // CR, LF and CRLF all end a line for clients.
  while (true) {
    const size_t end = std::min(data.find_first_of("\r\n"), data.size());
    AppendLine(out, "data", data.substr(0, end));
    if (end == data.size()) {
      break;
    }
    data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  out += '\n';
}

}  // namespace millrace::serve
