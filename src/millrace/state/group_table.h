#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "millrace/base/check.h"
#include "millrace/state/huge_pages.h"

namespace millrace {

/// A slot of a GroupTable: stable from insertion to erasure.
using GroupSlot = uint32_t;

/// Hash table from encoded keys to values of one fixed width: open addressing over slot numbers. A
/// slot's record has the hash, the key and the value side by side, so that a table that no cache
/// holds costs few reads of memory; long keys are in an arena. Records move when the table grows:
/// keep slots, not pointers. Used by one thread at a time.
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

  /// Hints that FindOrInsert with this hash comes soon: first Prefetch, and some keys later
  /// PrefetchFound, which needs what the first has fetched.
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&index_[hash & mask_]); }
  void PrefetchFound(uint64_t hash) const {
    const uint32_t slot = index_[hash & mask_].slot;
    if (slot != 0 && slot != kTombstone) {
      PrefetchSlot(slot - 1);
    }
  }
  /// Hints that a slot's key and value are needed soon.
  void PrefetchSlot(GroupSlot slot) const {
    const std::byte* const record = records_.data() + slot * record_bytes_;
    __builtin_prefetch(record, 1);
    __builtin_prefetch(record + record_bytes_ - 1, 1);
  }

  std::byte* Value(GroupSlot slot) {
    return records_.data() + slot * record_bytes_ + sizeof(Header);
  }
  const std::byte* Value(GroupSlot slot) const {
    return records_.data() + slot * record_bytes_ + sizeof(Header);
  }
  std::string_view Key(GroupSlot slot) const { return KeyOf(HeaderOf(slot)); }
  uint64_t Hash(GroupSlot slot) const { return HeaderOf(slot).hash; }
  bool IsLive(GroupSlot slot) const { return HeaderOf(slot).key_size != kErased; }

  size_t value_bytes() const { return record_bytes_ - sizeof(Header); }
  /// Groups in the table.
  size_t size() const { return live_; }
  /// Slots are below this; some may be erased.
  GroupSlot slot_limit() const { return slots_; }
  size_t MemoryBytes() const;

 private:
  static constexpr uint32_t kErased = UINT32_MAX;
  static constexpr uint32_t kTombstone = UINT32_MAX;

  struct IndexEntry {
    uint32_t tag = 0;   // High half of the hash.
    uint32_t slot = 0;  // Slot + 1; 0 = free, kTombstone = erased.
  };
  /// In front of each value.
  struct Header {
    uint64_t hash;
    uint32_t key_size;
    char key[20];  // Longer ones: their offset in the arena.
  };
  static constexpr size_t kKeyBytesMax = sizeof(Header::key);

  Header& HeaderOf(GroupSlot slot) {
    return *reinterpret_cast<Header*>(records_.data() + slot * record_bytes_);
  }
  const Header& HeaderOf(GroupSlot slot) const {
    return *reinterpret_cast<const Header*>(records_.data() + slot * record_bytes_);
  }
  std::string_view KeyOf(const Header& header) const {
    if (header.key_size <= kKeyBytesMax) {
      return {header.key, header.key_size};
    }
    size_t offset = 0;
    std::memcpy(&offset, header.key, sizeof(offset));
    return {key_arena_.data() + offset, header.key_size};
  }
  void StoreKey(std::string_view key, Header& header);
  GroupSlot NewSlot();
  void Grow();
  void CompactArena();
  size_t IndexOf(GroupSlot slot) const;

  size_t record_bytes_;
  GroupSlot slots_ = 0;
  size_t live_ = 0;
  size_t used_ = 0;  // Index entries that are not free.
  uint64_t mask_;
  HugePageVector<IndexEntry> index_;
  HugePageVector<std::byte> records_;
  std::vector<GroupSlot> free_slots_;
  std::vector<char> key_arena_;
  size_t key_garbage_ = 0;
};

}  // namespace millrace
