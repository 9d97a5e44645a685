#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "millrace/base/check.h"

namespace millrace {

/// A slot of a GroupTable: stable from insertion to erasure.
using GroupSlot = uint32_t;

/// Hash table from encoded keys to values of one fixed width: open addressing over slot numbers,
/// values side by side, keys in an arena. Values move when the table grows: keep slots, not
/// pointers. Used by one thread at a time.
class GroupTable {
 public:
  /// `value_bytes` is rounded up to a multiple of 8; values are 8-byte aligned.
  explicit GroupTable(size_t value_bytes);

  struct Inserted {
    GroupSlot slot;
    bool is_new;  ///< The value is all zero then.
  };
  /// `hash` must be a function of `key`. The key is copied.
  Inserted FindOrInsert(std::string_view key, uint64_t hash);

  /// Returns kNone when the key is not there.
  static constexpr GroupSlot kNone = UINT32_MAX;
  GroupSlot Find(std::string_view key, uint64_t hash) const;

  void Erase(GroupSlot slot);
  void Clear();

  /// Hints that FindOrInsert with this hash comes soon.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&index_[hash & mask_]); }

  std::byte* Value(GroupSlot slot) { return values_.data() + slot * value_bytes_; }
  const std::byte* Value(GroupSlot slot) const { return values_.data() + slot * value_bytes_; }
  std::string_view Key(GroupSlot slot) const {
    return {key_arena_.data() + keys_[slot].offset, keys_[slot].size};
  }
  uint64_t Hash(GroupSlot slot) const { return keys_[slot].hash; }
  bool IsLive(GroupSlot slot) const { return keys_[slot].size != kErased; }

  size_t value_bytes() const { return value_bytes_; }
  /// Groups in the table.
  size_t size() const { return live_; }
  /// Slots are below this; some may be erased.
  GroupSlot slot_limit() const { return static_cast<GroupSlot>(keys_.size()); }
  size_t MemoryBytes() const;

 private:
  static constexpr uint32_t kErased = UINT32_MAX;
  static constexpr uint32_t kTombstone = UINT32_MAX;

  struct IndexEntry {
    uint32_t tag = 0;   // High half of the hash.
    uint32_t slot = 0;  // Slot + 1; 0 = free, kTombstone = erased.
  };
  struct KeyRef {
    uint64_t hash;
    uint64_t offset;
    uint32_t size;
    uint32_t unused;
  };

  void Grow();
  void CompactArena();
  size_t IndexOf(GroupSlot slot) const;

  size_t value_bytes_;
  size_t live_ = 0;
  size_t used_ = 0;  // Index entries that are not free.
  uint64_t mask_;
  std::vector<IndexEntry> index_;
  std::vector<KeyRef> keys_;
  std::vector<GroupSlot> free_slots_;
  std::vector<std::byte> values_;
  std::vector<char> key_arena_;
  size_t key_garbage_ = 0;
};

}  // namespace millrace
