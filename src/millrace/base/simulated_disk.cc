#include "millrace/base/simulated_disk.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace millrace::internal {

namespace {

constexpr size_t kTraceLinesMax = 256;

void ApplyChange(std::string& content, const PendingChange& change) {
  if (change.is_truncate) {
    content.resize(change.offset);
    return;
  }
  if (content.size() < change.offset + change.bytes.size()) {
    content.resize(change.offset + change.bytes.size());
  }
  std::ranges::copy(change.bytes, content.begin() + static_cast<ptrdiff_t>(change.offset));
}

void ApplyEdit(std::map<std::string, uint64_t>& names, const NameEdit& edit) {
  if (edit.node == 0) {
    names.erase(edit.name);
  } else {
    names[edit.name] = edit.node;
  }
}

}  // namespace

SimulatedDisk::SimulatedDisk(uint64_t seed, SimulatedDiskOptions options)
    : options_(options), rng_(seed) {
  nodes_[kRoot].is_directory = true;
}

Status SimulatedDisk::CheckAlive(uint64_t caller_life) {
  if (crashed || caller_life != life) {
    return Err(ErrorCode::kIoError, "the simulated machine has crashed");
  }
  return {};
}

SimulatedDisk::Fate SimulatedDisk::Begin(std::string operation) {
  const uint64_t number = ++operations_count;
  Fate fate = Fate::kProceed;
  std::string_view note;
  if (faults.crash_at == number) {
    fate = Fate::kCrash;
    note = " -> crash";
  } else if (faults.write_errors.Contains(number)) {
    fate = Fate::kError;
    note = " -> error";
  } else if (faults.disk_full.Contains(number)) {
    fate = Fate::kDiskFull;
    note = " -> disk full";
  }
  AddTrace(fmt::format("{} {}{}", number, operation, note));
  return fate;
}

void SimulatedDisk::AddTrace(std::string line) {
  trace.push_back(std::move(line));
  if (trace.size() > kTraceLinesMax) {
    trace.pop_front();
  }
}

Status SimulatedDisk::End(Fate fate, const std::string& path) {
  switch (fate) {
    case Fate::kProceed:
      return {};
    case Fate::kCrash:
      Crash();
      return Err(ErrorCode::kIoError, "the simulated machine has crashed");
    case Fate::kDiskFull:
      return Err(ErrorCode::kDiskFull, fmt::format("{}: simulated full disk", path));
    case Fate::kError:
      return Err(ErrorCode::kIoError, fmt::format("{}: simulated error", path));
  }
  return {};
}

Status SimulatedDisk::Change(Fate fate, const std::string& path, NameChange change) {
  if (fate == Fate::kProceed || fate == Fate::kCrash) {
    for (const NameEdit& edit : change) {
      ApplyEdit(nodes_[edit.directory].names, edit);
    }
    name_changes_.push_back(std::move(change));
  }
  return End(fate, path);
}

uint64_t SimulatedDisk::AddNode(bool is_directory) {
  const uint64_t id = ++nodes_created_;
  nodes_[id].is_directory = is_directory;
  nodes_[id].modified_micros = static_cast<int64_t>(operations_count);
  return id;
}

uint64_t SimulatedDisk::FreeBytes() {
  uint64_t used = 0;
  for (const auto& [id, node] : nodes_) {
    used += node.allocated();
  }
  return used < options_.capacity_bytes ? options_.capacity_bytes - used : 0;
}

void SimulatedDisk::CheckSpace(Fate& fate, const Node& node, uint64_t end) {
  if (fate == Fate::kProceed && end > node.allocated() && end - node.allocated() > FreeBytes()) {
    fate = Fate::kDiskFull;
    trace.back() += " -> disk full";
  }
}

void SimulatedDisk::Append(Node& node, PendingChange change) {
  ApplyChange(node.live, change);
  node.pending.push_back(std::move(change));
  node.modified_micros = static_cast<int64_t>(operations_count);
}

Status SimulatedDisk::Write(uint64_t id, const std::string& path, uint64_t offset,
                            std::string bytes) {
  Fate fate = Begin(fmt::format("write {} @{} +{}", path, offset, bytes.size()));
  Node& node = nodes_[id];
  const uint64_t end = offset + bytes.size();
  CheckSpace(fate, node, end);
  if (fate == Fate::kDiskFull || fate == Fate::kError) {
    const uint64_t room = node.allocated() + FreeBytes();
    const uint64_t writable = std::min<uint64_t>(bytes.size(), room > offset ? room - offset : 0);
    bytes.resize(rng_.Below(writable + 1));
  }
  if (!bytes.empty()) {
    Append(node, {.is_truncate = false, .offset = offset, .bytes = std::move(bytes)});
  }
  return End(fate, path);
}

Status SimulatedDisk::Sync(uint64_t id, const std::string& path) {
  const Fate fate = Begin(fmt::format("sync {}", path));
  if (fate == Fate::kCrash) {
    return End(fate, path);
  }
  Node& node = nodes_[id];
  for (const PendingChange& change : node.pending) {
    if (fate == Fate::kProceed || rng_.Chance(0.5)) {
      ApplyChange(node.durable, change);
    }
  }
  node.pending.clear();
  if (fate != Fate::kProceed) {
    return Err(ErrorCode::kSyncFailed, fmt::format("{}: simulated failure of a sync", path));
  }
  return {};
}

Status SimulatedDisk::Truncate(uint64_t id, const std::string& path, uint64_t size) {
  Fate fate = Begin(fmt::format("truncate {} to {}", path, size));
  Node& node = nodes_[id];
  CheckSpace(fate, node, size);
  if (fate == Fate::kProceed || fate == Fate::kCrash) {
    node.reserved = std::min(node.reserved, size);
    Append(node, {.is_truncate = true, .offset = size, .bytes = {}});
  }
  return End(fate, path);
}

Status SimulatedDisk::Reserve(uint64_t id, const std::string& path, uint64_t end) {
  Fate fate = Begin(fmt::format("reserve {} to {}", path, end));
  Node& node = nodes_[id];
  CheckSpace(fate, node, end);
  if (fate == Fate::kProceed) {
    node.reserved = std::max(node.reserved, end);
  }
  return End(fate, path);
}

void SimulatedDisk::SyncNames(uint64_t directory) {
  std::set<uint64_t> directories{directory};
  std::vector<bool> needed(name_changes_.size());
  for (size_t i = name_changes_.size(); i-- > 0;) {
    const NameChange& change = name_changes_[i];
    needed[i] = std::ranges::any_of(
        change, [&](const NameEdit& edit) { return directories.contains(edit.directory); });
    if (needed[i]) {
      for (const NameEdit& edit : change) {
        directories.insert(edit.directory);
      }
    }
  }
  std::vector<NameChange> left;
  for (size_t i = 0; i < name_changes_.size(); ++i) {
    if (!needed[i]) {
      left.push_back(std::move(name_changes_[i]));
      continue;
    }
    for (const NameEdit& edit : name_changes_[i]) {
      ApplyEdit(nodes_[edit.directory].durable_names, edit);
    }
  }
  name_changes_ = std::move(left);
  DropUnreachable();
}

void SimulatedDisk::SurviveTorn(Node& node, const PendingChange& change) {
  const uint64_t end = change.offset + change.bytes.size();
  if (node.durable.size() < end && rng_.Chance(0.5)) {
    node.durable.resize(end);
  }
  const uint64_t unit = options_.piece_bytes;
  for (uint64_t at = change.offset; at < end;) {
    const uint64_t next = std::min(end, (at / unit + 1) * unit);
    if (rng_.Chance(0.5)) {
      ApplyChange(node.durable, {.is_truncate = false,
                                 .offset = at,
                                 .bytes = change.bytes.substr(at - change.offset, next - at)});
    }
    at = next;
  }
}

void SimulatedDisk::SurviveWrites(Node& node) {
  for (const PendingChange& change : node.pending) {
    const double draw = rng_.Unit();
    if (draw < options_.write_lost) {
      continue;
    }
    if (draw < options_.write_lost + options_.write_kept) {
      ApplyChange(node.durable, change);
    } else if (!change.is_truncate) {
      SurviveTorn(node, change);
    } else if (rng_.Chance(0.5)) {
      ApplyChange(node.durable, change);
    }
  }
  node.pending.clear();
  node.live = node.durable;
}

void SimulatedDisk::SurviveNames() {
  const double draw = rng_.Unit();
  const bool all = draw < options_.names_kept;
  const bool none = !all && draw < options_.names_kept + options_.names_lost;
  std::set<uint64_t> ended;
  for (const NameChange& change : name_changes_) {
    const bool follows_lost = std::ranges::any_of(
        change, [&](const NameEdit& edit) { return ended.contains(edit.directory); });
    const bool survives = !follows_lost && !none && (all || rng_.Chance(0.5));
    for (const NameEdit& edit : change) {
      if (survives) {
        ApplyEdit(nodes_[edit.directory].durable_names, edit);
      } else {
        ended.insert(edit.directory);
      }
    }
  }
  name_changes_.clear();
}

void SimulatedDisk::Crash() {
  if (crashed) {
    return;
  }
  crashed = true;
  AddTrace("crash");
  SurviveNames();
  for (auto& [id, node] : nodes_) {
    SurviveWrites(node);
    node.names = node.durable_names;
    node.is_locked = false;
    node.opened_count = 0;
  }
  DropUnreachable();
}

void SimulatedDisk::Restart() {
  crashed = false;
  ++life;
  for (auto& [id, node] : nodes_) {
    node.is_locked = false;
    node.opened_count = 0;
  }
  faults = {};
  operations_count = 0;
  reads_count = 0;
  AddTrace(fmt::format("restart, life {}", life));
}

void SimulatedDisk::DropUnreachable() {
  std::set<uint64_t> reached{kRoot};
  for (const auto& [id, node] : nodes_) {
    for (const auto& [name, child] : node.names) {
      reached.insert(child);
    }
    for (const auto& [name, child] : node.durable_names) {
      reached.insert(child);
    }
    if (node.opened_count > 0) {
      reached.insert(id);
    }
  }
  for (const NameChange& change : name_changes_) {
    for (const NameEdit& edit : change) {
      reached.insert(edit.node);
    }
  }
  std::erase_if(nodes_, [&](const auto& entry) { return !reached.contains(entry.first); });
}

}  // namespace millrace::internal
