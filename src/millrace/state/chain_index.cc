#include "millrace/state/chain_index.h"

#include "millrace/base/check.h"
#include "millrace/state/steady_growth.h"

namespace millrace {

namespace {

constexpr size_t kHeadsMin = 16;

}  // namespace

ChainIndex::ChainIndex() : heads_(kHeadsMin) {}

size_t ChainIndex::PlaceOf(uint64_t hash) const {
  const size_t mask = heads_.size() - 1;
  size_t place = hash & mask;
  while (heads_[place].used && heads_[place].hash != hash) {
    place = (place + 1) & mask;
  }
  return place;
}

void ChainIndex::Link(GroupSlot slot, uint64_t hash) {
  if (2 * (used_ + 1) > heads_.size()) {
    Grow();
  }
  if (slot >= links_.size()) {
    ReserveMore(links_, slot + 1 - links_.size());
    links_.resize(slot + 1);
  }
  Head& head = heads_[PlaceOf(hash)];
  used_ += head.used ? 0 : 1;
  links_[slot] = {.previous = GroupTable::kNone, .next = head.slot};
  if (head.slot != GroupTable::kNone) {
    links_[head.slot].previous = slot;
  }
  head = {.hash = hash, .slot = slot, .used = true};
}

void ChainIndex::Unlink(GroupSlot slot, uint64_t hash) {
  const Links links = links_[slot];
  if (links.next != GroupTable::kNone) {
    links_[links.next].previous = links.previous;
  }
  if (links.previous != GroupTable::kNone) {
    links_[links.previous].next = links.next;
    return;
  }
  Head& head = heads_[PlaceOf(hash)];
  MR_CHECK(head.slot == slot, "slot {} is not on its chain", slot);
  head.slot = links.next;
}

void ChainIndex::Grow() {
  // Chains that have become empty are left out, so that the table need not be larger each time.
  size_t chains = 0;
  for (const Head& head : heads_) {
    chains += head.slot != GroupTable::kNone ? 1 : 0;
  }
  size_t size = kHeadsMin;
  while (size < 4 * (chains + 1)) {
    size *= 2;
  }
  std::vector<Head> old(size);
  old.swap(heads_);
  used_ = chains;
  for (const Head& head : old) {
    if (head.slot != GroupTable::kNone) {
      heads_[PlaceOf(head.hash)] = head;
    }
  }
}

size_t ChainIndex::MemoryBytes() const {
  return heads_.capacity() * sizeof(Head) + links_.capacity() * sizeof(Links);
}

}  // namespace millrace
