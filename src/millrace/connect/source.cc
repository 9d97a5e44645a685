#include "millrace/connect/source.h"

namespace millrace {

std::string_view Name(SourceStatus::State state) {
  switch (state) {
    case SourceStatus::State::kRunning:
      return "running";
    case SourceStatus::State::kWaiting:
      return "waiting";
    case SourceStatus::State::kEnded:
      return "ended";
    case SourceStatus::State::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace millrace
