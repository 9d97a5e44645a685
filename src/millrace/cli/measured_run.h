#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "millrace/base/clock.h"
#include "millrace/base/result.h"
#include "millrace/cli/http_client.h"
#include "millrace/cli/temporary_server.h"

namespace millrace {

/// What it cost to bring a view to the end of its input.
struct RunCost {
  double records_in = 0;   ///< Of all tables, refused ones included.
  double seconds = 0;      ///< Since the server was started.
  double cpu_seconds = 0;  ///< Of the server's process.
  double peak_resident_bytes = 0;
  double state_bytes = 0;  ///< The most that was seen.
  double commit_p50_seconds = 0;
  double commit_p99_seconds = 0;
};

/// Waits until `view` of the server is finished, and tells what that cost. `on_progress` is called
/// about ten times a second with the rows the view has taken in. Errors: kServerUnreachable,
/// kPipelineFailed when the view or a source fails.
Result<RunCost> MeasureToTheEnd(TemporaryServer& server, HttpClient& client,
                                const std::string& view, const Clock& clock,
                                const std::function<void(double rows_in)>& on_progress);

}  // namespace millrace
