#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "millrace/state/group_table.h"

namespace millrace {

/// Lists of the slots of a GroupTable whose keys have something in common, by the hash of that: the
/// rows of a join by the hash of their join key. Two hashes that are equal share a chain; whoever
/// walks it compares the keys. Used by one thread at a time.
class ChainIndex {
 public:
  ChainIndex();

  /// Adds a slot, which is on no chain, to the front of the chain of `hash`.
  void Link(GroupSlot slot, uint64_t hash);
  /// Takes a slot off the chain of `hash`.
  void Unlink(GroupSlot slot, uint64_t hash);

  /// The first slot of a chain, then the next one of each; GroupTable::kNone at the end.
  GroupSlot First(uint64_t hash) const { return heads_[PlaceOf(hash)].slot; }
  GroupSlot Next(GroupSlot slot) const { return links_[slot].next; }

  size_t MemoryBytes() const;

 private:
  struct Head {
    uint64_t hash = 0;
    GroupSlot slot = GroupTable::kNone;  // kNone and `used`: a chain that has become empty.
    bool used = false;
  };
  struct Links {
    GroupSlot previous = GroupTable::kNone;
    GroupSlot next = GroupTable::kNone;
  };

  /// Where the chain of `hash` begins, or a free place.
  size_t PlaceOf(uint64_t hash) const;
  void Grow();

  std::vector<Head> heads_;  // Open addressing, linear probing.
  size_t used_ = 0;
  std::vector<Links> links_;  // By slot.
};

}  // namespace millrace
