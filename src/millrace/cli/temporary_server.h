#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"

namespace millrace {

/// A child process of this program that runs a project in a directory made for it; destruction
/// stops it and removes the directory.
class TemporaryServer {
 public:
  /// Writes `sql` into a new directory below `parent` and runs it on a free port of loopback; waits
  /// until it listens. kServerUnreachable with what the child wrote last when it ends before.
  static Result<std::unique_ptr<TemporaryServer>> Start(FileSystem& files,
                                                        const std::string& parent,
                                                        std::string_view sql);
  ~TemporaryServer();
  TemporaryServer(const TemporaryServer&) = delete;
  TemporaryServer& operator=(const TemporaryServer&) = delete;

  /// "http://127.0.0.1:40123".
  const std::string& url() const { return url_; }

 private:
  TemporaryServer(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  Status Spawn();
  Status AwaitListening();

  FileSystem& files_;
  const std::string directory_;
  std::string url_;
  pid_t child_ = -1;
  int log_ = -1;  // The child's standard error.
};

}  // namespace millrace
