#pragma once

#include <memory>
#include <string>

#include "millrace/connect/source.h"
#include "millrace/connect/stepped_thread.h"

namespace millrace {

/// The thread that steps one source until it is told to stop or the source fails.
class SourceThread {
 public:
  /// Stops first.
  ~SourceThread();

  /// Ends a wait between two steps; any thread, also before Start and after the end. Pass it to the
  /// source.
  void Wake() { thread_.Wake(); }

  /// `name`: its table's; shows in the log and in debuggers.
  void Start(const std::string& name, std::unique_ptr<Source> source);

  /// Ends after the step that runs, and joins.
  void Stop() { thread_.Stop(); }

  /// The source's, with kFailed and the error once a step has failed.
  SourceStatus status();

 private:
  std::unique_ptr<Source> source_;
  SteppedThread thread_;
};

}  // namespace millrace
