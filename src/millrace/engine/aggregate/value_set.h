#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data/batch.h"
#include "millrace/engine/aggregate/aggregate_layout.h"
#include "millrace/engine/aggregate/bucketed_key.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// The different values of one argument by group, with the sums of their weights, as one task
/// brings them in one epoch: for aggregates that must know which values are there (DISTINCT, and
/// min and max of rows that may be taken back). Used by one thread at a time.
class PartialValueSet {
 public:
  /// `argument` is a column of the batches.
  explicit PartialValueSet(size_t argument) : argument_(argument), table_(sizeof(int64_t)) {}

  /// Adds a row of the group with that key; NULLs are not values.
  void Add(const Batch& batch, uint32_t row, Micros bucket, std::string_view group,
           uint64_t group_hash);

  void Partition(uint32_t partitions);
  void Clear();

  /// Calls `visit(bucket, entry, group_hash, weight)` for each value of a state partition; `entry`
  /// is the group's key as a KeyedState chains it, then the encoded value.
  template <typename Visit>
  void VisitPartition(uint32_t partition, Visit visit) const {
    const uint32_t begin = partition == 0 ? 0 : partition_ends_[partition - 1];
    for (uint32_t i = begin; i < partition_ends_[partition]; ++i) {
      const GroupSlot slot = sorted_[i];
      const std::string_view key = table_.Key(slot);
      visit(BucketOf(key), WithoutBucket(key), hashes_[slot],
            *reinterpret_cast<const int64_t*>(table_.Value(slot)));
    }
  }

 private:
  const size_t argument_;
  GroupTable table_;              // Key: bucket, entry.
  std::vector<uint64_t> hashes_;  // By slot: of the group's key.
  std::vector<GroupSlot> sorted_;
  std::vector<uint32_t> partition_ends_;
  std::string key_;
};

/// Brings the values of one call in one state partition up to date, and then the call's accumulator
/// in the groups: it gets each value that has come once, and each that has gone with weight -1.
/// Lives for one task.
class ValueSetUpdate {
 public:
  /// `groups` holds the groups, all of this epoch touched before; `values` is chained, and has the
  /// call's values.
  ValueSetUpdate(const AggregateLayout& layout, size_t call, KeyedState& groups, KeyedState& values)
      : layout_(layout), call_(call), groups_(groups), values_(values) {}

  void Add(Micros bucket, std::string_view entry, uint64_t group_hash, int64_t weight);

  /// Updates the groups. Errors: kCorruption.
  Status Finish();

 private:
  struct Change {
    Micros bucket;
    uint64_t group_hash;
    std::string entry;
    bool has_come;
  };

  std::byte* GroupOf(const Change& change);
  Status Apply(std::span<const Change> changes);
  /// All values of a group, and how often each is there.
  Result<Column> ValuesOf(const Change& change, std::vector<int64_t>& counts);
  Status MakeList(const Change& change);
  /// Works out an extreme anew, from all values of a group.
  Status Recompute(const Change& change);

  const AggregateLayout& layout_;
  const size_t call_;
  KeyedState& groups_;
  KeyedState& values_;
  std::vector<Change> changes_;
};

}  // namespace millrace
