#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "millrace/base/file_system.h"
#include "millrace/stream/transport.h"

namespace millrace {

/// Names and identity of a data directory:
///
///   IDENTITY  LOCK
///   journal/<n>.jnl  journal/spare.jnl
///   streams/<first name>.<id>/<n>.seg
class DataDirectory {
 public:
  /// Opens or creates the directory and takes its lock. A directory without IDENTITY is fresh: it
  /// gets one with Persist, after its first journal file is durable, so that an IDENTITY without a
  /// journal is always damage. Errors: kDataDirLocked, kFormatTooNew, kCorruption when IDENTITY is
  /// damaged, or missing beside streams or committed rounds.
  static Result<std::unique_ptr<DataDirectory>> Open(FileSystem& files, std::string path);

  bool fresh() const { return fresh_; }
  /// Writes IDENTITY; durable on return.
  Status Persist();

  FileSystem& files() const { return files_; }
  /// Random, fixed when the directory was made; part of every frame and record.
  uint64_t identity() const { return identity_; }
  const std::string& path() const { return path_; }

  std::string JournalDirectory() const;
  std::string JournalPath(uint64_t number) const;
  std::string SpareJournalPath() const;
  std::string StreamDirectory(const StreamInfo& stream) const;
  std::string SegmentPath(const StreamInfo& stream, uint64_t number) const;

 private:
  DataDirectory(FileSystem& files, std::string path, uint64_t identity, bool fresh,
                std::unique_ptr<FileLock> lock)
      : files_(files),
        path_(std::move(path)),
        identity_(identity),
        lock_(std::move(lock)),
        fresh_(fresh) {}

  std::string IdentityPath() const;

  FileSystem& files_;
  const std::string path_;
  const uint64_t identity_;
  const std::unique_ptr<FileLock> lock_;
  bool fresh_;
};

/// Reads the number of "<number><suffix>"; nothing for other names.
std::optional<uint64_t> NumberOfFile(std::string_view name, std::string_view suffix);

}  // namespace millrace
