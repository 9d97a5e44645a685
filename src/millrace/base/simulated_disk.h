#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "millrace/base/mutex.h"
#include "millrace/base/rng.h"
#include "millrace/base/simulated_file_system.h"

namespace millrace::internal {

/// A write, or with `is_truncate` a change of the size to `offset`.
struct PendingChange {
  bool is_truncate;
  uint64_t offset;
  std::string bytes;
};

struct Node {
  bool is_directory = false;
  bool is_locked = false;
  uint64_t opened_count = 0;
  int64_t modified_micros = 0;

  std::string live;
  std::string durable;
  std::vector<PendingChange> pending;
  uint64_t reserved = 0;

  std::map<std::string, uint64_t> names;
  std::map<std::string, uint64_t> durable_names;

  uint64_t allocated() const { return std::max<uint64_t>(live.size(), reserved); }
};

/// The node behind one name from now on; 0 = the name is gone.
struct NameEdit {
  uint64_t directory;
  std::string name;
  uint64_t node;
};

/// Names that change together: one edit, or two of a rename.
using NameChange = std::vector<NameEdit>;

/// The model behind SimulatedFileSystem, its files and its locks: nodes, names, what of both is
/// durable, and what faults and crashes do. Callers hold `mutex` and check that they live.
class SimulatedDisk {
 public:
  static constexpr uint64_t kRoot = 1;

  enum class Fate : uint8_t { kProceed, kCrash, kDiskFull, kError };

  SimulatedDisk(uint64_t seed, SimulatedDiskOptions options);

  /// Fails when the machine is down or `caller_life` is not the present one.
  Status CheckAlive(uint64_t caller_life) MR_REQUIRES(mutex);
  /// Counts and traces a mutating operation; returns what the plan does to it.
  Fate Begin(std::string operation) MR_REQUIRES(mutex);
  /// Ends an operation of the given fate after its effect was applied as unsynced.
  Status End(Fate fate, const std::string& path) MR_REQUIRES(mutex);

  Node& node(uint64_t id) MR_REQUIRES(mutex) { return nodes_[id]; }
  uint64_t AddNode(bool is_directory) MR_REQUIRES(mutex);
  uint64_t FreeBytes() MR_REQUIRES(mutex);
  void SetCapacity(uint64_t bytes) MR_REQUIRES(mutex) { options_.capacity_bytes = bytes; }

  /// Whole operations on the content of a file; `path` is for messages.
  Status Write(uint64_t id, const std::string& path, uint64_t offset, std::string bytes)
      MR_REQUIRES(mutex);
  Status Sync(uint64_t id, const std::string& path) MR_REQUIRES(mutex);
  Status Truncate(uint64_t id, const std::string& path, uint64_t size) MR_REQUIRES(mutex);
  Status Reserve(uint64_t id, const std::string& path, uint64_t end) MR_REQUIRES(mutex);

  /// Ends a name operation begun with `fate`: it fails before any effect, or has it.
  Status Change(Fate fate, const std::string& path, NameChange change) MR_REQUIRES(mutex);
  /// Makes the names of a directory durable, with all earlier changes these depend on.
  void SyncNames(uint64_t directory) MR_REQUIRES(mutex);

  void Crash() MR_REQUIRES(mutex);
  void Restart() MR_REQUIRES(mutex);

  mutable Mutex mutex;
  FaultPlan faults MR_GUARDED_BY(mutex);
  bool crashed MR_GUARDED_BY(mutex) = false;
  uint64_t life MR_GUARDED_BY(mutex) = 1;
  uint64_t operations_count MR_GUARDED_BY(mutex) = 0;
  uint64_t reads_count MR_GUARDED_BY(mutex) = 0;
  std::deque<std::string> trace MR_GUARDED_BY(mutex);

 private:
  void AddTrace(std::string line) MR_REQUIRES(mutex);
  void Append(Node& node, PendingChange change) MR_REQUIRES(mutex);
  /// Turns kProceed into kDiskFull when `end` bytes of `node` do not fit.
  void CheckSpace(Fate& fate, const Node& node, uint64_t end) MR_REQUIRES(mutex);
  void SurviveWrites(Node& node) MR_REQUIRES(mutex);
  void SurviveTorn(Node& node, const PendingChange& change) MR_REQUIRES(mutex);
  void SurviveNames() MR_REQUIRES(mutex);
  /// Forgets nodes that no name, unsynced change or open file refers to.
  void DropUnreachable() MR_REQUIRES(mutex);

  SimulatedDiskOptions options_ MR_GUARDED_BY(mutex);
  Rng rng_ MR_GUARDED_BY(mutex);
  std::map<uint64_t, Node> nodes_ MR_GUARDED_BY(mutex);
  uint64_t nodes_created_ MR_GUARDED_BY(mutex) = kRoot;
  std::vector<NameChange> name_changes_ MR_GUARDED_BY(mutex);
};

}  // namespace millrace::internal
