#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "millrace/data/encoded_keys.h"
#include "millrace/data/row_encoding.h"
#include "millrace/engine/aggregate/group_by.h"
#include "millrace/engine/aggregate/value_set.h"
#include "millrace/engine/operator.h"

namespace millrace {

/// The first phase: aggregates what one source partition brings in one epoch, before the exchange.
class PartialGroups final : public ExchangeBuffer {
 public:
  explicit PartialGroups(const GroupBy& group_by);

  void Add(const BatchPtr& batch, RowReport& report) override;
  void Partition(uint32_t partitions) override;
  void Start(Micros first_open) override;

  /// Calls `visit(bucket, key, hash, value)` for each group of a state partition.
  template <typename Visit>
  void VisitPartition(uint32_t partition, Visit visit) const {
    const std::span<const GroupSlot> slots(partition_slots_);
    const uint32_t begin = partition == 0 ? 0 : partition_ends_[partition - 1];
    for (const GroupSlot slot : slots.subspan(begin, partition_ends_[partition] - begin)) {
      const std::string_view key = table_.Key(slot);
      Micros bucket = 0;
      std::memcpy(&bucket, key.data(), sizeof(bucket));
      visit(bucket, key.substr(sizeof(bucket)), hashes_[slot], table_.Value(slot));
    }
  }

  /// The values of the layout's set calls, in their order.
  const std::vector<PartialValueSet>& value_sets() const { return value_sets_; }

 private:
  /// The hash by which the table finds a group: of its key, mixed with the bucket before it.
  static uint64_t InTable(uint64_t hash, std::string_view key);

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
