#include "millrace/state/group_table.h"

#include <algorithm>

#include "millrace/state/steady_growth.h"

namespace millrace {

namespace {

constexpr size_t kIndexSizeMin = 16;
constexpr size_t kArenaGarbageMin = 64 << 10;

uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

GroupTable::GroupTable(size_t value_bytes)
    : record_bytes_(sizeof(Header) + (value_bytes + 7) / 8 * 8),
      mask_(kIndexSizeMin - 1),
      index_(kIndexSizeMin) {}

GroupTable::Inserted GroupTable::FindOrInsert(std::string_view key, uint64_t hash) {
  if ((used_ + 1) * 4 > index_.size() * 3) {
    Grow();
  }
  size_t place = hash & mask_;
  size_t insert_at = index_.size();
  while (index_[place].slot != 0) {
    const IndexEntry& entry = index_[place];
    if (entry.slot == kTombstone) {
      insert_at = std::min(insert_at, place);
    } else if (entry.tag == TagOf(hash) && Key(entry.slot - 1) == key) {
      return {entry.slot - 1, false};
    }
    place = (place + 1) & mask_;
  }
  if (insert_at == index_.size()) {
    insert_at = place;
    ++used_;
  }
  const GroupSlot slot = NewSlot();
  Header& header = HeaderOf(slot);
  header.hash = hash;
  StoreKey(key, header);
  index_[insert_at] = {.tag = TagOf(hash), .slot = slot + 1};
  ++live_;
  return {slot, true};
}

/// A slot without a key, its value zero.
GroupSlot GroupTable::NewSlot() {
  if (!free_slots_.empty()) {
    const GroupSlot slot = free_slots_.back();
    free_slots_.pop_back();
    std::memset(Value(slot), 0, value_bytes());
    return slot;
  }
  MR_CHECK(slots_ < kTombstone - 1, "too many groups");
  ReserveMore(records_, record_bytes_);
  records_.resize(records_.size() + record_bytes_);
  return slots_++;
}

void GroupTable::StoreKey(std::string_view key, Header& header) {
  header.key_size = static_cast<uint32_t>(key.size());
  if (key.size() <= kKeyBytesMax) {
    key.copy(header.key, key.size());  // Not memcpy: an empty one may be at no address.
    return;
  }
  const size_t offset = key_arena_.size();
  std::memcpy(header.key, &offset, sizeof(offset));
  ReserveMore(key_arena_, key.size());
  key_arena_.insert(key_arena_.end(), key.begin(), key.end());
}

GroupSlot GroupTable::Find(std::string_view key, uint64_t hash) const {
  for (size_t place = hash & mask_; index_[place].slot != 0; place = (place + 1) & mask_) {
    const IndexEntry& entry = index_[place];
    if (entry.slot != kTombstone && entry.tag == TagOf(hash) && Key(entry.slot - 1) == key) {
      return entry.slot - 1;
    }
  }
  return kNone;
}

size_t GroupTable::IndexOf(GroupSlot slot) const {
  size_t place = Hash(slot) & mask_;
  while (index_[place].slot != slot + 1) {
    place = (place + 1) & mask_;
  }
  return place;
}

void GroupTable::Erase(GroupSlot slot) {
  MR_DCHECK(IsLive(slot));
  index_[IndexOf(slot)].slot = kTombstone;
  Header& header = HeaderOf(slot);
  key_garbage_ += header.key_size > kKeyBytesMax ? header.key_size : 0;
  header.key_size = kErased;
  free_slots_.push_back(slot);
  --live_;
  if (key_garbage_ > kArenaGarbageMin && key_garbage_ * 2 > key_arena_.size()) {
    CompactArena();
  }
}

void GroupTable::Clear() {
  std::ranges::fill(index_, IndexEntry{});
  records_.clear();
  slots_ = 0;
  free_slots_.clear();
  key_arena_.clear();
  live_ = 0;
  used_ = 0;
  key_garbage_ = 0;
}

void GroupTable::Grow() {
  size_t size = kIndexSizeMin;
  while (size < (live_ + 1) * 2) {
    size *= 2;
  }
  index_.assign(size, IndexEntry{});
  mask_ = size - 1;
  used_ = live_;
  for (GroupSlot slot = 0; slot < slot_limit(); ++slot) {
    if (!IsLive(slot)) {
      continue;
    }
    size_t place = Hash(slot) & mask_;
    while (index_[place].slot != 0) {
      place = (place + 1) & mask_;
    }
    index_[place] = {.tag = TagOf(Hash(slot)), .slot = slot + 1};
  }
}

void GroupTable::CompactArena() {
  std::vector<char> arena;
  arena.reserve(key_arena_.size() - key_garbage_);
  for (GroupSlot slot = 0; slot < slot_limit(); ++slot) {
    Header& header = HeaderOf(slot);
    if (IsLive(slot) && header.key_size > kKeyBytesMax) {
      const std::string_view key = KeyOf(header);
      const size_t offset = arena.size();
      arena.insert(arena.end(), key.begin(), key.end());
      std::memcpy(header.key, &offset, sizeof(offset));
    }
  }
  key_arena_ = std::move(arena);
  key_garbage_ = 0;
}

size_t GroupTable::MemoryBytes() const {
  return index_.capacity() * sizeof(IndexEntry) + records_.capacity() +
         free_slots_.capacity() * sizeof(GroupSlot) + key_arena_.capacity();
}

}  // namespace millrace
