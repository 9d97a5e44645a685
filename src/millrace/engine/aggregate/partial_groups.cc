#include "millrace/engine/aggregate/partial_groups.h"

#include <utility>

#include "millrace/engine/late_rows.h"

namespace millrace {

PartialGroups::PartialGroups(const GroupBy& group_by)
    : group_by_(group_by), table_(group_by.layout().value_bytes()) {
  for (const size_t call : group_by.layout().set_calls()) {
    value_sets_.emplace_back(group_by.layout().argument(call));
  }
}

void PartialGroups::Add(const BatchPtr& batch, RowReport& report) {
  SelectOnTime(batch, group_by_.window(), first_open_, report, rows_);
  const size_t rows = rows_.size();
  report.counts.accepted += rows;
  std::span<const Micros> buckets;
  if (group_by_.window()) {
    buckets = batch->column(group_by_.window()->start_column).Values<Micros>();
  } else if (no_buckets_.size() < batch->rows()) {
    no_buckets_.resize(batch->rows(), KeyedState::kOnlyBucket);
  }
  keys_.Encode(*batch, group_by_.key_columns(), rows_, buckets.empty() ? no_buckets_ : buckets);
  row_hashes_.resize(rows);
  for (size_t i = 0; i < rows; ++i) {
    row_hashes_[i] = HashEncoded(WithoutBucket(keys_.key(i)));
    table_.Prefetch(InTable(row_hashes_[i], keys_.key(i)));
  }
  slots_.resize(rows);
  for (size_t i = 0; i < rows; ++i) {
    constexpr size_t kAhead = 8;
    if (i + kAhead < rows) {
      table_.PrefetchFound(InTable(row_hashes_[i + kAhead], keys_.key(i + kAhead)));
    }
    const auto inserted = table_.FindOrInsert(keys_.key(i), InTable(row_hashes_[i], keys_.key(i)));
    slots_[i] = inserted.slot;
    if (inserted.is_new) {
      hashes_.push_back(row_hashes_[i]);
    }
  }
  values_.resize(rows);
  for (size_t i = 0; i < rows; ++i) {
    values_[i] = table_.Value(slots_[i]);
  }
  group_by_.layout().Update(*batch, rows_, values_, texts_);
  for (PartialValueSet& set : value_sets_) {
    for (size_t i = 0; i < rows; ++i) {
      const Micros bucket = buckets.empty() ? KeyedState::kOnlyBucket : buckets[rows_[i]];
      set.Add(*batch, rows_[i], bucket, WithoutBucket(keys_.key(i)), row_hashes_[i]);
    }
  }
}

void PartialGroups::Partition(uint32_t partitions) {
  partition_ends_.assign(partitions, 0);
  for (const uint64_t hash : hashes_) {
    ++partition_ends_[PartitionOfHash(hash, partitions)];
  }
  uint32_t total = 0;
  for (uint32_t& end : partition_ends_) {
    total += std::exchange(end, total);
  }
  partition_slots_.resize(hashes_.size());
  for (GroupSlot slot = 0; slot < hashes_.size(); ++slot) {
    partition_slots_[partition_ends_[PartitionOfHash(hashes_[slot], partitions)]++] = slot;
  }
  for (PartialValueSet& set : value_sets_) {
    set.Partition(partitions);
  }
}

void PartialGroups::Start(Micros first_open) {
  first_open_ = first_open;
  table_.Clear();
  hashes_.clear();
  texts_.Clear();
  for (PartialValueSet& set : value_sets_) {
    set.Clear();
  }
}

uint64_t PartialGroups::InTable(uint64_t hash, std::string_view key) {
  constexpr uint64_t kMix = 0x9e3779b97f4a7c15;  // Golden ratio: spreads window starts.
  return hash ^ (static_cast<uint64_t>(BucketOf(key)) * kMix);
}

}  // namespace millrace
