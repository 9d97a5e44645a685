#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millrace/data/encoded_keys.h"
#include "millrace/data/row_encoding.h"
#include "millrace/engine/aggregate/aggregate_layout.h"
#include "millrace/engine/row_report.h"
#include "millrace/plan/plan_node.h"
#include "millrace/state/keyed_state.h"

namespace millrace {

/// What both phases of an aggregation share. Immutable and thread-safe.
///
/// A group's key is the encoded group columns other than the window's start and end; the window's
/// start is its bucket (KeyedState::kOnlyBucket without a window).
class GroupBy {
 public:
  /// `node` is an aggregate node. Errors as AggregateLayout::Make.
  static Result<GroupBy> Make(const PlanNode& node);

  const AggregateLayout& layout() const { return layout_; }
  const std::optional<WindowKey>& window() const { return window_; }
  const std::vector<size_t>& key_columns() const { return key_columns_; }
  /// Without group columns there is one group from the start, even before the first row.
  bool has_single_group() const { return group_columns_.empty(); }

  /// First bucket that is still open at a watermark; kMicrosMin when all are.
  Micros FirstOpenBucket(Micros watermark) const;

  const SchemaPtr& output_schema() const { return output_schema_; }

  size_t group_columns() const { return group_columns_.size(); }

  /// Appends a group's columns.
  Status AppendGroup(Micros bucket, std::string_view key,
                     std::vector<ColumnBuilder>& builders) const;

  /// Appends a group's output row: group columns, then results. The value must pass the layout's
  /// Check.
  Status AppendRow(Micros bucket, std::string_view key, const std::byte* value,
                   std::vector<ColumnBuilder>& builders) const;

 private:
  std::vector<size_t> group_columns_;
  std::vector<size_t> key_columns_;
  std::optional<WindowKey> window_;
  AggregateLayout layout_;
  SchemaPtr output_schema_;
};

/// The first phase: aggregates what one source partition brings in one epoch, before the exchange.
/// Used by one thread at a time.
class PartialGroups {
 public:
  explicit PartialGroups(const GroupBy& group_by)
      : group_by_(group_by), table_(group_by.layout().value_bytes()) {}

  /// Adds the rows that are not late; late ones go to `report`.
  void Add(const BatchPtr& batch, RowReport& report);

  /// Sorts the groups by the state partition that their hash falls into; call after the last Add.
  void Partition(uint32_t partitions);

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

  size_t groups() const { return table_.size(); }
  void Clear() {
    table_.Clear();
    hashes_.clear();
    texts_.Clear();
  }

 private:
  /// Sets rows_ to those that are not late.
  void SelectOnTime(const BatchPtr& batch, RowReport& report);
  /// The hash by which the table finds a group: of its key, mixed with the bucket before it.
  static uint64_t InTable(uint64_t hash, std::string_view key);

  const GroupBy& group_by_;
  GroupTable table_;              // Key: bucket, then the group's key.
  std::vector<uint64_t> hashes_;  // By slot: HashEncoded of the group's key.
  TextArena texts_;
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
