#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/base/result.h"

namespace millrace {

/// What a file is, for noticing rotation and replacement. Equal inode and device = same file.
struct FileInfo {
  uint64_t size;
  uint64_t inode;
  uint64_t device;
  int64_t modified_micros;
  bool is_directory;
  bool is_regular;  ///< Neither a directory nor a pipe, socket or device.
};

/// An open file. Reads and writes name their offset; there is no file position. Calls on one file
/// may come from several threads when their byte ranges do not overlap. Closing never syncs.
///
/// Errors: kDiskFull for ENOSPC and EDQUOT, kIoError otherwise. Short writes are continued inside.
class File {
 public:
  virtual ~File() = default;

  /// Reads up to `out.size()` bytes; fewer only at the end of the file (0 behind it).
  virtual Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) = 0;
  /// Writes all pieces, one after the other, from `offset`; extends the file as needed. After an
  /// error any part may have been written.
  virtual Status WriteAt(uint64_t offset, std::span<const std::span<const std::byte>> pieces) = 0;
  /// Makes all data written so far, and the size, durable (fdatasync). After kSyncFailed nothing
  /// written since the last success may be trusted, and the call must not be repeated.
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size) = 0;
  /// Reserves space for [offset, offset + length) without changing the size (fallocate).
  virtual Status Reserve(uint64_t offset, uint64_t length) = 0;
  virtual Result<uint64_t> Size() = 0;
  /// Of this file, wherever its name went.
  virtual Result<FileInfo> Info() = 0;

  Status WriteAt(uint64_t offset, std::span<const std::byte> bytes) {
    return WriteAt(offset, std::span<const std::span<const std::byte>>(&bytes, 1));
  }
};

/// Exclusive ownership of a lock file until destruction.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory;
};

enum class OpenMode : uint8_t {
  kRead,       ///< kFileNotFound when missing.
  kReadWrite,  ///< kFileNotFound when missing.
  kCreate,     ///< Read and write; kFileExists when present. Durable only after SyncDirectory.
};

/// The seam to files. Nothing else in Millrace touches the disk. Thread-safe. Paths are UTF-8 and
/// absolute or relative to the working directory.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  /// Creates missing parents too and makes each of them durable; fine when it exists.
  virtual Status CreateDirectories(const std::string& path) = 0;
  /// Makes creations, renames and removals of entries in `path` durable (fsync of the directory).
  virtual Status SyncDirectory(const std::string& path) = 0;
  /// Replaces `to` atomically. Durable only after SyncDirectory.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status RemoveFile(const std::string& path) = 0;
  /// Removes an empty directory.
  virtual Status RemoveDirectory(const std::string& path) = 0;
  /// Lists entries in ascending order of name; without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> List(const std::string& path) = 0;
  virtual Result<FileInfo> Info(const std::string& path) = 0;
  /// Takes an exclusive lock, creating the file; kDataDirLocked when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  /// Free bytes that this user may fill on the file system of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
};

/// Reads a whole file of at most `bytes_max` bytes; a larger one is kRecordTooLarge.
Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path, uint64_t bytes_max);

/// Replaces `path` by `content`, atomically and durably: temporary file, sync, rename, directory
/// sync.
Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view content);

/// Joins with one slash between.
std::string JoinPath(std::string_view directory, std::string_view name);
/// The part before the last slash; "." when there is none.
std::string ParentPath(std::string_view path);

}  // namespace millrace
