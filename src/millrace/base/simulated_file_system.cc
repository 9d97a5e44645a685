#include "millrace/base/simulated_file_system.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/mutex.h"
#include "millrace/base/simulated_disk.h"

namespace millrace {

using internal::Node;
using internal::SimulatedDisk;

namespace {

std::vector<std::string> SplitPath(const std::string& path) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") {
      parts.push_back(std::move(part));
    }
    begin = end + 1;
  }
  return parts;
}

FileInfo InfoOf(uint64_t id, const Node& node) {
  return {.size = node.live.size(),
          .inode = id,
          .device = 1,
          .modified_micros = node.modified_micros,
          .is_directory = node.is_directory,
          .is_regular = !node.is_directory};
}

/// A resolved path: its directory, its last part, and what is there (0: nothing).
struct Place {
  uint64_t directory;
  std::string name;
  uint64_t node;
};

std::unexpected<Error> NotFound(const std::string& path) {
  return Err(ErrorCode::kFileNotFound, fmt::format("{}: no such file or directory", path));
}

Result<Place> Resolve(SimulatedDisk& disk, const std::string& path) MR_REQUIRES(disk.mutex) {
  Place place{.directory = SimulatedDisk::kRoot, .name = "", .node = SimulatedDisk::kRoot};
  for (const std::string& part : SplitPath(path)) {
    if (place.node == 0 || !disk.node(place.node).is_directory) {
      return NotFound(path);
    }
    place.directory = place.node;
    place.name = part;
    const auto& names = disk.node(place.directory).names;
    const auto found = names.find(part);
    place.node = found == names.end() ? 0 : found->second;
  }
  return place;
}

Result<Place> ResolveExisting(SimulatedDisk& disk, const std::string& path)
    MR_REQUIRES(disk.mutex) {
  MR_ASSIGN(auto place, Resolve(disk, path));
  if (place.node == 0) {
    return NotFound(path);
  }
  return place;
}

class SimulatedFile final : public File {
 public:
  SimulatedFile(SimulatedDisk& disk, uint64_t node, uint64_t life, std::string path,
                bool is_writable)
      : disk_(disk), node_(node), life_(life), path_(std::move(path)), is_writable_(is_writable) {}

  ~SimulatedFile() override {
    MutexLock lock(disk_.mutex);
    if (disk_.CheckAlive(life_)) {
      --disk_.node(node_).opened_count;
    }
  }

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    MutexLock lock(disk_.mutex);
    MR_TRY(disk_.CheckAlive(life_));
    if (disk_.faults.read_errors.Contains(++disk_.reads_count)) {
      return Err(ErrorCode::kIoError, fmt::format("read {}: simulated error", path_));
    }
    const std::string& content = disk_.node(node_).live;
    if (offset >= content.size()) {
      return size_t{0};
    }
    const size_t size = std::min<uint64_t>(out.size(), content.size() - offset);
    std::ranges::copy(AsBytes(content).subspan(offset, size), out.begin());
    return size;
  }

  Status WriteAt(uint64_t offset, std::span<const std::span<const std::byte>> pieces) override {
    std::string bytes;
    for (const auto piece : pieces) {
      bytes += AsText(piece);
    }
    MutexLock lock(disk_.mutex);
    MR_TRY(CheckWritable());
    return disk_.Write(node_, path_, offset, std::move(bytes));
  }

  Status Sync() override {
    MutexLock lock(disk_.mutex);
    MR_TRY(disk_.CheckAlive(life_));
    return disk_.Sync(node_, path_);
  }

  Status Truncate(uint64_t size) override {
    MutexLock lock(disk_.mutex);
    MR_TRY(CheckWritable());
    return disk_.Truncate(node_, path_, size);
  }

  Status Reserve(uint64_t offset, uint64_t length) override {
    MutexLock lock(disk_.mutex);
    MR_TRY(CheckWritable());
    return disk_.Reserve(node_, path_, offset + length);
  }

  Result<uint64_t> Size() override {
    MutexLock lock(disk_.mutex);
    MR_TRY(disk_.CheckAlive(life_));
    return uint64_t{disk_.node(node_).live.size()};
  }

  Result<FileInfo> Info() override {
    MutexLock lock(disk_.mutex);
    MR_TRY(disk_.CheckAlive(life_));
    return InfoOf(node_, disk_.node(node_));
  }

 private:
  Status CheckWritable() MR_REQUIRES(disk_.mutex) {
    MR_TRY(disk_.CheckAlive(life_));
    if (!is_writable_) {
      return Err(ErrorCode::kIoError, fmt::format("{} is open for reading only", path_));
    }
    return {};
  }

  SimulatedDisk& disk_;
  const uint64_t node_;
  const uint64_t life_;
  const std::string path_;
  const bool is_writable_;
};

class SimulatedFileLock final : public FileLock {
 public:
  SimulatedFileLock(SimulatedDisk& disk, uint64_t node, uint64_t life)
      : disk_(disk), node_(node), life_(life) {}

  ~SimulatedFileLock() override {
    MutexLock lock(disk_.mutex);
    if (disk_.CheckAlive(life_)) {
      disk_.node(node_).is_locked = false;
      --disk_.node(node_).opened_count;
    }
  }

 private:
  SimulatedDisk& disk_;
  const uint64_t node_;
  const uint64_t life_;
};

}  // namespace

SimulatedFileSystem::SimulatedFileSystem(uint64_t seed, SimulatedDiskOptions options)
    : disk_(std::make_unique<SimulatedDisk>(seed, options)) {}

SimulatedFileSystem::~SimulatedFileSystem() = default;

Result<std::unique_ptr<File>> SimulatedFileSystem::Open(const std::string& path, OpenMode mode) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(auto place, Resolve(*disk_, path));
  if (mode == OpenMode::kCreate) {
    if (place.node != 0) {
      return Err(ErrorCode::kFileExists, fmt::format("{} exists", path));
    }
    const auto fate = disk_->Begin(fmt::format("create {}", path));
    place.node = disk_->AddNode(false);
    MR_TRY(disk_->Change(fate, path, {{place.directory, place.name, place.node}}));
  }
  if (place.node == 0) {
    return NotFound(path);
  }
  if (disk_->node(place.node).is_directory) {
    return Err(ErrorCode::kIoError, fmt::format("{} is a directory", path));
  }
  ++disk_->node(place.node).opened_count;
  return std::make_unique<SimulatedFile>(*disk_, place.node, disk_->life, path,
                                         mode != OpenMode::kRead);
}

Status SimulatedFileSystem::CreateDirectories(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  std::string prefix;
  for (const std::string& part : SplitPath(path)) {
    prefix += "/" + part;
    MR_ASSIGN(auto place, Resolve(*disk_, prefix));
    if (place.node != 0) {
      if (!disk_->node(place.node).is_directory) {
        return Err(ErrorCode::kFileExists, fmt::format("{} is a file", prefix));
      }
      continue;
    }
    const auto fate = disk_->Begin(fmt::format("create directory {}", prefix));
    MR_TRY(disk_->Change(fate, prefix, {{place.directory, place.name, disk_->AddNode(true)}}));
    disk_->SyncNames(place.directory);
  }
  return {};
}

Status SimulatedFileSystem::SyncDirectory(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  if (!disk_->node(place.node).is_directory) {
    return NotFound(path);
  }
  const auto fate = disk_->Begin(fmt::format("sync directory {}", path));
  if (fate == SimulatedDisk::Fate::kCrash) {
    return disk_->End(fate, path);
  }
  if (fate != SimulatedDisk::Fate::kProceed) {
    return Err(ErrorCode::kSyncFailed, fmt::format("{}: simulated failure of a sync", path));
  }
  disk_->SyncNames(place.node);
  return {};
}

Status SimulatedFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto source, ResolveExisting(*disk_, from));
  MR_ASSIGN(const auto target, Resolve(*disk_, to));
  if (target.node == source.node) {
    return {};
  }
  if (target.node != 0 && disk_->node(target.node).is_directory) {
    return Err(ErrorCode::kIoError, fmt::format("rename {} to {}: is a directory", from, to));
  }
  const auto fate = disk_->Begin(fmt::format("rename {} to {}", from, to));
  return disk_->Change(
      fate, from,
      {{source.directory, source.name, 0}, {target.directory, target.name, source.node}});
}

Status SimulatedFileSystem::RemoveFile(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  if (disk_->node(place.node).is_directory) {
    return Err(ErrorCode::kIoError, fmt::format("{} is a directory", path));
  }
  const auto fate = disk_->Begin(fmt::format("remove {}", path));
  return disk_->Change(fate, path, {{place.directory, place.name, 0}});
}

Status SimulatedFileSystem::RemoveDirectory(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  const Node& node = disk_->node(place.node);
  if (!node.is_directory) {
    return NotFound(path);
  }
  if (!node.names.empty() || place.node == SimulatedDisk::kRoot) {
    return Err(ErrorCode::kIoError, fmt::format("{} is not empty", path));
  }
  const auto fate = disk_->Begin(fmt::format("remove directory {}", path));
  return disk_->Change(fate, path, {{place.directory, place.name, 0}});
}

Result<std::vector<DirectoryEntry>> SimulatedFileSystem::List(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  if (!disk_->node(place.node).is_directory) {
    return NotFound(path);
  }
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : disk_->node(place.node).names) {
    entries.push_back({.name = name, .is_directory = disk_->node(child).is_directory});
  }
  return entries;
}

Result<FileInfo> SimulatedFileSystem::Info(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  return InfoOf(place.node, disk_->node(place.node));
}

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::Lock(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_ASSIGN(auto place, Resolve(*disk_, path));
  if (place.node == 0) {
    const auto fate = disk_->Begin(fmt::format("create lock {}", path));
    place.node = disk_->AddNode(false);
    MR_TRY(disk_->Change(fate, path, {{place.directory, place.name, place.node}}));
  }
  Node& node = disk_->node(place.node);
  if (node.is_locked) {
    return Err(ErrorCode::kDataDirLocked, fmt::format("{} is held by another process", path));
  }
  node.is_locked = true;
  ++node.opened_count;
  return std::make_unique<SimulatedFileLock>(*disk_, place.node, disk_->life);
}

Result<uint64_t> SimulatedFileSystem::FreeBytes(const std::string& path) {
  MutexLock lock(disk_->mutex);
  MR_TRY(disk_->CheckAlive(disk_->life));
  MR_TRY(ResolveExisting(*disk_, path));
  return disk_->FreeBytes();
}

void SimulatedFileSystem::SetFaults(FaultPlan faults) {
  MutexLock lock(disk_->mutex);
  disk_->faults = faults;
}

void SimulatedFileSystem::SetCapacity(uint64_t capacity_bytes) {
  MutexLock lock(disk_->mutex);
  disk_->SetCapacity(capacity_bytes);
}

void SimulatedFileSystem::Crash() {
  MutexLock lock(disk_->mutex);
  disk_->Crash();
}

void SimulatedFileSystem::Restart() {
  MutexLock lock(disk_->mutex);
  disk_->Restart();
}

bool SimulatedFileSystem::crashed() const {
  MutexLock lock(disk_->mutex);
  return disk_->crashed;
}

uint64_t SimulatedFileSystem::operations_count() const {
  MutexLock lock(disk_->mutex);
  return disk_->operations_count;
}

uint64_t SimulatedFileSystem::reads_count() const {
  MutexLock lock(disk_->mutex);
  return disk_->reads_count;
}

std::string SimulatedFileSystem::Trace() const {
  MutexLock lock(disk_->mutex);
  return fmt::format("{}\n", fmt::join(disk_->trace, "\n"));
}

Status SimulatedFileSystem::CorruptByte(const std::string& path, uint64_t offset, uint8_t mask) {
  MutexLock lock(disk_->mutex);
  MR_ASSIGN(const auto place, ResolveExisting(*disk_, path));
  Node& node = disk_->node(place.node);
  if (offset >= node.live.size()) {
    return Err(ErrorCode::kOffsetOutOfRange,
               fmt::format("{} has {} bytes", path, node.live.size()));
  }
  node.live[offset] = static_cast<char>(node.live[offset] ^ mask);
  if (offset < node.durable.size()) {
    node.durable[offset] = static_cast<char>(node.durable[offset] ^ mask);
  }
  return {};
}

}  // namespace millrace
