#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// One server-sent event.
struct ServerEvent {
  std::string type;  ///< "message" when the server names none.
  std::string id;    ///< Of this event or, without one, of the last event that had one.
  std::string data;
};

/// Reads events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from pieces of any
/// size.
class EventReader {
 public:
  void Add(std::string_view bytes);
  /// Returns whether there was a whole event.
  bool Next(ServerEvent& event);

 private:
  bool TakeLine(std::string& line);

  std::string buffer_;
  size_t begin_ = 0;
  ServerEvent current_;
  bool has_data_ = false;
};

}  // namespace millrace
