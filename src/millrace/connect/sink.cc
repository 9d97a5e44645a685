#include "millrace/connect/sink.h"

namespace millrace {

std::string_view Name(SinkStatus::State state) {
  switch (state) {
    case SinkStatus::State::kRunning:
      return "running";
    case SinkStatus::State::kWaiting:
      return "waiting";
    case SinkStatus::State::kRetrying:
      return "retrying";
    case SinkStatus::State::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace millrace
