#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"
#include "millrace/base/thread.h"

namespace millrace {

/// A child process of this program that runs a project in a directory made for it; destruction
/// stops it and removes the directory. While it lives, SIGINT and SIGTERM do the same and end this
/// process. One at a time, made by the main thread before any other thread is.
class TemporaryServer {
 public:
  /// Writes `sql` into a new directory below `parent` and runs it on a free port of loopback, with
  /// more arguments of `millrace run`; waits until it listens. kServerUnreachable with what the
  /// child wrote last when it ends before.
  static Result<std::unique_ptr<TemporaryServer>> Start(
      FileSystem& files, const std::string& parent, std::string_view sql,
      const std::vector<std::string>& arguments = {});
  ~TemporaryServer();
  TemporaryServer(const TemporaryServer&) = delete;
  TemporaryServer& operator=(const TemporaryServer&) = delete;

  /// "http://127.0.0.1:40123".
  const std::string& url() const { return url_; }
  /// When its process was made, on the monotonic clock.
  std::chrono::nanoseconds started() const { return started_; }
  /// Waits for so long, and drops what the child logs meanwhile. kServerUnreachable when it ends.
  Status Wait(int timeout_ms);

 private:
  TemporaryServer(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Status Spawn(std::vector<std::string> arguments);
  Status AwaitListening();
  void AwaitSignal();
  void CleanUp();

  FileSystem& files_;
  const std::string directory_;
  std::string url_;
  std::chrono::nanoseconds started_{};
  pid_t child_ = -1;
  int log_ = -1;  // The child's standard error.
  std::string log_end_;
  int signals_ = -1;
  int stop_ = -1;  // Readable when the thread has to end.
  Thread signal_thread_;
};

}  // namespace millrace
