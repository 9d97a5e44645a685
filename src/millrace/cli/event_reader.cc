#include "millrace/cli/event_reader.h"

#include <utility>

namespace millrace {

void EventReader::Add(std::string_view bytes) {
  buffer_.erase(0, std::exchange(begin_, 0));
  buffer_ += bytes;
}

bool EventReader::TakeLine(std::string& line) {
  const size_t end = buffer_.find('\n', begin_);
  if (end == std::string::npos) {
    return false;
  }
  line = buffer_.substr(begin_, end - begin_);
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  begin_ = end + 1;
  return true;
}

bool EventReader::Next(ServerEvent& event) {
  std::string line;
  while (TakeLine(line)) {
    if (line.empty() && has_data_) {
      event = current_;
      event.type = event.type.empty() ? "message" : event.type;
      current_ = {.type = {}, .id = std::move(current_.id), .data = {}};
      has_data_ = false;
      return true;
    }
    const size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) {
      value.erase(0, 1);
    }
    if (field == "event") {
      current_.type = std::move(value);
    } else if (field == "id") {
      current_.id = std::move(value);
    } else if (field == "data") {
      current_.data += has_data_ ? "\n" + value : value;
      has_data_ = true;
    }
  }
  return false;
}

}  // namespace millrace
