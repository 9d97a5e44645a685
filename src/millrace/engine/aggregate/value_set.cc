#include "millrace/engine/aggregate/value_set.h"

#include <algorithm>
#include <set>
#include <utility>

#include "millrace/data/column_builder.h"
#include "millrace/data/row_encoding.h"

namespace millrace {

void PartialValueSet::Add(const Batch& batch, uint32_t row, Micros bucket, std::string_view group,
                          uint64_t group_hash) {
  const Column& column = batch.column(argument_);
  if (column.IsNull(row)) {
    return;
  }
  key_.assign(reinterpret_cast<const char*>(&bucket), sizeof(bucket));
  KeyedState::AppendChainedPrefix(group, key_);
  AppendEncoded(column, row, key_);
  const auto inserted = table_.FindOrInsert(key_, HashEncoded(key_));
  if (inserted.is_new) {
    hashes_.push_back(group_hash);
  }
  *reinterpret_cast<int64_t*>(table_.Value(inserted.slot)) += batch.Weight(row);
}

void PartialValueSet::Partition(uint32_t partitions) {
  partition_ends_.assign(partitions, 0);
  for (const uint64_t hash : hashes_) {
    ++partition_ends_[PartitionOfHash(hash, partitions)];
  }
  uint32_t total = 0;
  for (uint32_t& end : partition_ends_) {
    total += std::exchange(end, total);
  }
  sorted_.resize(hashes_.size());
  for (GroupSlot slot = 0; slot < hashes_.size(); ++slot) {
    sorted_[partition_ends_[PartitionOfHash(hashes_[slot], partitions)]++] = slot;
  }
}

void PartialValueSet::Clear() {
  table_.Clear();
  hashes_.clear();
}

void ValueSetUpdate::Add(Micros bucket, std::string_view entry, uint64_t group_hash,
                         int64_t weight) {
  if (weight == 0) {
    return;
  }
  auto& count =
      *reinterpret_cast<int64_t*>(values_.Touch(bucket, entry, HashEncoded(entry), group_hash));
  const bool was_there = count > 0;
  count += weight;
  const bool is_there = count > 0;
  if (was_there != is_there || layout_.IsListCall(call_)) {
    changes_.push_back({bucket, group_hash, std::string(entry), is_there});
  }
}

std::byte* ValueSetUpdate::GroupOf(const Change& change) {
  return groups_.Touch(change.bucket, KeyedState::ChainedPrefix(change.entry), change.group_hash);
}

Status ValueSetUpdate::Finish() {
  // By bucket, because the texts of a bucket's groups have their own place.
  std::ranges::stable_sort(changes_, {}, &Change::bucket);
  if (layout_.IsListCall(call_)) {
    std::set<std::pair<Micros, std::string_view>> made;
    for (const Change& change : changes_) {
      if (made.insert({change.bucket, KeyedState::ChainedPrefix(change.entry)}).second) {
        MR_TRY(MakeList(change));
      }
    }
    return {};
  }
  if (layout_.IsExtremeCall(call_)) {
    std::set<std::pair<Micros, std::string_view>> worked_out;
    std::vector<Change> come;
    for (const Change& change : changes_) {
      const std::pair group(change.bucket, KeyedState::ChainedPrefix(change.entry));
      if (!change.has_come && worked_out.insert(group).second) {
        MR_TRY(Recompute(change));
      }
    }
    for (const Change& change : changes_) {
      if (!worked_out.contains({change.bucket, KeyedState::ChainedPrefix(change.entry)})) {
        come.push_back(change);
      }
    }
    return Apply(come);
  }
  return Apply(changes_);
}

Status ValueSetUpdate::Apply(std::span<const Change> changes) {
  constexpr size_t kBatchRows = 4096;
  for (size_t begin = 0; begin < changes.size();) {
    size_t end = begin;
    ColumnBuilder builder(layout_.argument_type(call_));
    std::vector<std::byte*> groups;
    std::vector<int32_t> weights;
    for (; end < changes.size() && changes[end].bucket == changes[begin].bucket &&
           end - begin < kBatchRows;
         ++end) {
      std::string_view value = KeyedState::ChainedRest(changes[end].entry);
      MR_TRY(DecodeInto(&value, builder));
      groups.push_back(GroupOf(changes[end]));
      weights.push_back(changes[end].has_come ? 1 : -1);
    }
    layout_.UpdateCall(call_, builder.Finish(), weights, groups, groups_.touched_texts());
    begin = end;
  }
  return {};
}

Result<Column> ValueSetUpdate::ValuesOf(const Change& change, std::vector<int64_t>& counts) {
  ColumnBuilder builder(layout_.argument_type(call_));
  Status status;
  values_.VisitChain(change.bucket, change.bucket + 1, KeyedState::ChainedPrefix(change.entry),
                     change.group_hash,
                     [&](Micros, GroupSlot, std::string_view entry, const std::byte* state) {
                       const int64_t count = *reinterpret_cast<const int64_t*>(state);
                       if (status && count > 0) {
                         std::string_view value = KeyedState::ChainedRest(entry);
                         status = DecodeInto(&value, builder);
                         counts.push_back(count);
                       }
                     });
  MR_TRY(std::move(status));
  return builder.Finish();
}

Status ValueSetUpdate::MakeList(const Change& change) {
  std::vector<int64_t> counts;
  MR_ASSIGN(const Column values, ValuesOf(change, counts));
  ValueList list(layout_.call(call_));
  for (size_t i = 0; i < values.size(); ++i) {
    list.Add(values.Text(i), counts[i]);
  }
  std::byte* const group = GroupOf(change);  // Before touched_texts, which are of its bucket.
  layout_.SetList(call_, list, group, groups_.touched_texts());
  return {};
}

Status ValueSetUpdate::Recompute(const Change& change) {
  std::vector<int64_t> counts;
  MR_ASSIGN(const Column column, ValuesOf(change, counts));
  std::byte* const group = GroupOf(change);
  layout_.ResetCall(call_, group);
  const std::vector<std::byte*> groups(column.size(), group);
  const std::vector<int32_t> weights(column.size(), 1);
  layout_.UpdateCall(call_, column, weights, groups, groups_.touched_texts());
  return {};
}

}  // namespace millrace
