#pragma once

#include <span>
#include <vector>

#include "millrace/data/encoded_keys.h"
#include "millrace/data/row_encoding.h"
#include "millrace/engine/aggregate/bucketed_key.h"
#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/aggregate/value_set.h"
#include "millrace/engine/operator.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// The first phase: aggregates what one source partition brings in one epoch, before the exchange.
class PartialGroups final : public ExchangeBuffer {
 public:
  explicit PartialGroups(const GroupBy& group_by);

  void Add(const BatchPtr& batch, RowReport& report) override;
  void Partition(uint32_t partitions) override;
  void Start(Micros first_open) override;

  /// Calls `visit(bucket, key, hash, value)` for each group of a state partition, and before that,
  /// some groups ahead, first `state.Prefetch` and then `state.PrefetchFound` for it.
  template <typename Visit>
  void VisitPartition(uint32_t partition, const KeyedState& state, Visit visit) const {
    const uint32_t begin = partition == 0 ? 0 : partition_ends_[partition - 1];
    const auto slots = std::span<const GroupSlot>(partition_slots_)
                           .subspan(begin, partition_ends_[partition] - begin);
    for (size_t i = 0; i < slots.size(); ++i) {
      PrefetchAhead(slots.subspan(i), state);
      const std::string_view key = table_.Key(slots[i]);
      visit(BucketOf(key), WithoutBucket(key), hashes_[slots[i]], table_.Value(slots[i]));
    }
  }

  /// The values of the layout's set calls, in their order.
  const std::vector<PartialValueSet>& value_sets() const { return value_sets_; }

 private:
  /// The hash by which the table finds a group: of its key, mixed with the bucket before it.
  static uint64_t InTable(uint64_t hash, std::string_view key);
  /// Each step needs what the one before has fetched, some groups ago.
  void PrefetchAhead(std::span<const GroupSlot> slots, const KeyedState& state) const {
    constexpr size_t kStep = 6;
    if (slots.size() > 3 * kStep) {
      table_.PrefetchSlot(slots[3 * kStep]);
    }
    if (slots.size() > 2 * kStep) {
      const GroupSlot slot = slots[2 * kStep];
      state.Prefetch(BucketOf(table_.Key(slot)), hashes_[slot]);
    }
    if (slots.size() > kStep) {
      const GroupSlot slot = slots[kStep];
      state.PrefetchFound(BucketOf(table_.Key(slot)), hashes_[slot]);
    }
  }

  const GroupBy& group_by_;
  Micros first_open_ = kMicrosMin;
  GroupTable table_;              // Key: bucket, then the group's key.
  std::vector<uint64_t> hashes_;  // By slot: HashEncoded of the group's key.
  TextArena texts_;
  std::vector<PartialValueSet> value_sets_;
  std::vector<GroupSlot> partition_slots_;
  std::vector<uint32_t> partition_ends_;
  // Of the batch that is being added: its rows on time, and by their index the rest.
  std::vector<uint32_t> rows_;
  std::vector<Micros> no_buckets_;
  EncodedKeys keys_;
  std::vector<uint64_t> row_hashes_;
  std::vector<GroupSlot> slots_;
  std::vector<std::byte*> values_;
};

}  // namespace millrace
