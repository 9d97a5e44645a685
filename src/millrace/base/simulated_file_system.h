#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millrace/base/file_system.h"

namespace millrace {

namespace internal {
class SimulatedDisk;
}

/// What a simulated disk can hold and what a crash does to changes that were not synced. The
/// probabilities are between 0 and 1.
struct SimulatedDiskOptions {
  uint64_t capacity_bytes = uint64_t{1} << 40;  ///< Of all file sizes and reservations together.
  /// The unit in which a torn write survives or not; aligned in the file. A disk sector is 512.
  size_t piece_bytes = 512;
  /// Of one unsynced write or truncation: lost as a whole, kept as a whole, else torn: each piece
  /// survives with probability one half, and so does the growth of the file.
  double write_lost = 0.3;
  double write_kept = 0.3;
  /// Of all unsynced names together, at one crash: lost, kept, else a random prefix per directory.
  double names_lost = 0.3;
  double names_kept = 0.3;
};

/// `count` operations from number `first` on; none when `count` is 0.
struct OperationRange {
  uint64_t first = 0;
  uint64_t count = 0;

  bool Contains(uint64_t number) const { return number >= first && number - first < count; }
};

/// The faults of one life, by operation number. Numbers start at 1 with each life.
struct FaultPlan {
  static constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();

  /// The machine stops during this mutating operation, which then counts as unsynced.
  std::optional<uint64_t> crash_at = {};
  /// Writes, reservations and creations among these fail with kDiskFull. A failing write may have
  /// written a part.
  OperationRange disk_full = {};
  /// All mutating operations among these fail with kIoError, syncs with kSyncFailed.
  OperationRange write_errors = {};
  /// The same for reads, which have numbers of their own.
  OperationRange read_errors = {};
};

/// A file system in memory that fails and crashes as told; for tests of everything that must
/// survive a power cut. Equal seeds, calls and plans give equal results. Thread-safe.
///
/// What is not synced is lost, kept or torn at a crash: data and size of a file since its last
/// Sync, names of a directory since its last SyncDirectory. The names of one directory survive in
/// the order in which they changed; a rename survives as a whole or not at all. A rename between
/// directories is ordered in both, and syncing one of them makes what it depends on in the other
/// durable too. After a Sync that failed, each change it covered is durable or gone for good at
/// random, and reads show it until the crash (https://lwn.net/Articles/752063/).
///
/// Mutating operations are WriteAt, Sync, Truncate, Reserve, Open(kCreate), each directory that
/// CreateDirectories makes, SyncDirectory, Rename, RemoveFile, RemoveDirectory, and a Lock that
/// creates its file. Paths are resolved from the root; "." is the root and ".." is not supported.
///
/// Open files and locks refer to the file system: it must outlive them.
class SimulatedFileSystem final : public FileSystem {
 public:
  explicit SimulatedFileSystem(uint64_t seed, SimulatedDiskOptions options = {});
  ~SimulatedFileSystem() override;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status CreateDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RemoveFile(const std::string& path) override;
  Status RemoveDirectory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<FileInfo> Info(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

  /// Replaces the plan of this life. Restart clears it.
  void SetFaults(FaultPlan faults);
  void SetCapacity(uint64_t capacity_bytes);
  /// Ends this life: decides what survives and releases all locks. Until Restart, and for files and
  /// locks of this life for ever, every call fails with kIoError. Does nothing when crashed
  /// already.
  void Crash();
  /// Begins a new life over what survived, without faults and with operation numbers from 1. A life
  /// that has not crashed ends in order: nothing is lost, but its files stay unusable.
  void Restart();
  bool crashed() const;

  /// Mutating operations and reads that this life has begun.
  uint64_t operations_count() const;
  uint64_t reads_count() const;
  /// The last 256 mutating operations over all lives, one per line, with what the plan did to them.
  std::string Trace() const;

  /// Flips the bits of `mask` in one byte, in memory and on disk; also while crashed. kFileNotFound
  /// when there is no such file, kOffsetOutOfRange behind its end.
  Status CorruptByte(const std::string& path, uint64_t offset, uint8_t mask);

 private:
  std::unique_ptr<internal::SimulatedDisk> disk_;
};

}  // namespace millrace
