#pragma once

#include <functional>
#include <string>

#include "millrace/base/result.h"

namespace millrace::serve {

/// POST /api/v1/streams/{stream}/replay: feeds the records in errors$<stream> back into the table.
/// Thread-safe. Never blocks: answers through `done`, exactly once, from any thread, with a whole
/// JSON document {"accepted", "rejected", "skipped", "position"} once all of it is durable. Errors:
/// kStreamNotFound, kNotImplemented (a table that is not stored, or of files that are not JSON),
/// kTooManyRequests, kUnavailable, those of the transport.
class ReplayService {
 public:
  using Done = std::function<void(Result<std::string>)>;

  virtual ~ReplayService() = default;

  virtual void Replay(std::string stream, Done done) = 0;
};

}  // namespace millrace::serve
