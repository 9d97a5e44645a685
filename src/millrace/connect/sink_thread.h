#pragma once

#include <memory>
#include <string>

#include "millrace/connect/sink_runner.h"
#include "millrace/connect/stepped_thread.h"

namespace millrace {

/// The thread that steps one sink until it is told to stop or the sink fails for good.
class SinkThread {
 public:
  /// Stops first.
  ~SinkThread();

  /// Ends a wait between two steps; any thread, also before Start and after the end. Pass it to the
  /// runner.
  void Wake() { thread_.Wake(); }

  /// `name`: its table's; shows in the log and in debuggers.
  void Start(const std::string& name, std::unique_ptr<SinkRunner> runner);

  /// Ends after the step that runs, joins, and flushes what was written.
  void Stop();

  /// The runner's, with kFailed and the error once it has failed for good.
  SinkStatus status();

 private:
  std::unique_ptr<SinkRunner> runner_;
  SteppedThread thread_;
  bool stopped_ = false;
};

}  // namespace millrace
