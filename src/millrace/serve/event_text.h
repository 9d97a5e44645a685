#pragma once

#include <string>
#include <string_view>

namespace millrace::serve {

/// Appends one server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html):
/// "event: <type>\nid: <id>\ndata: <data>\n\n". `data` may have several lines; `type` and `id`
/// none. Without a type or id that line is left out.
void AppendEvent(std::string& out, std::string_view type, std::string_view id,
                 std::string_view data);

}  // namespace millrace::serve
