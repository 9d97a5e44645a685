#include "millrace/engine/keyed_rows.h"

#include <algorithm>
#include <utility>

#include "millrace/data/row_encoding.h"
#include "millrace/engine/late_rows.h"

namespace millrace {

bool KeyedRows::HasNullKey(const Batch& batch, uint32_t row) const {
  return (shape_.time && batch.column(shape_.time->start_column).IsNull(row)) ||
         std::ranges::any_of(shape_.key,
                             [&](size_t column) { return batch.column(column).IsNull(row); });
}

void KeyedRows::Select(const BatchPtr& batch, RowReport& report) {
  SelectOnTime(batch, shape_.counts_late_rows ? std::nullopt : shape_.time, first_open_, report,
               rows_);
  if (shape_.drops_null_keys) {
    const size_t before = rows_.size();
    std::erase_if(rows_, [&](uint32_t row) { return HasNullKey(*batch, row); });
    report.counts.filtered += before - rows_.size();
  }
  report.counts.accepted += rows_.size();
}

Micros KeyedRows::FromOf(const Batch& batch, uint32_t row, Micros time) const {
  const auto watermarks = batch.watermarks_before();
  Micros from = std::max(time, first_open_);
  if (!watermarks.empty() && watermarks[row] != kMicrosMin) {
    from = std::max(from, watermarks[row] - shape_.time->open_for() + 1);
  }
  return from;
}

void KeyedRows::Add(const BatchPtr& batch, RowReport& report) {
  Select(batch, report);
  keys_.Encode(*batch, shape_.key, rows_, {});
  rests_.Encode(*batch, shape_.rest, rows_, {});
  std::span<const Micros> times;
  if (shape_.time) {
    times = batch->column(shape_.time->start_column).Values<Micros>();
  }
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint32_t row = rows_[i];
    const size_t offset = arena_.size();
    KeyedState::AppendChainedPrefix(keys_.key(i), arena_);
    arena_ += rests_.key(i);
    entries_.push_back({.key_hash = HashEncoded(keys_.key(i)),
                        .time = times.empty() ? KeyedState::kOnlyBucket : times[row],
                        .offset = offset,
                        .size = static_cast<uint32_t>(arena_.size() - offset),
                        .weight = batch->Weight(row),
                        .flag = shape_.flag && !batch->column(*shape_.flag).IsNull(row) &&
                                batch->column(*shape_.flag).Bool(row),
                        .has_null_key = !shape_.drops_null_keys && HasNullKey(*batch, row)});
    if (shape_.counts_late_rows) {
      froms_.push_back(FromOf(*batch, row, times[row]));
    }
  }
}

void KeyedRows::Partition(uint32_t partitions) {
  partition_ends_.assign(partitions, 0);
  for (const Entry& entry : entries_) {
    ++partition_ends_[PartitionOfHash(entry.key_hash, partitions)];
  }
  uint32_t total = 0;
  for (uint32_t& end : partition_ends_) {
    total += std::exchange(end, total);
  }
  sorted_.resize(entries_.size());
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    sorted_[partition_ends_[PartitionOfHash(entries_[i].key_hash, partitions)]++] = i;
  }
}

void KeyedRows::Start(Micros first_open) {
  const bool is_bound = first_open != kMicrosMin && first_open != kMicrosMax;
  first_open_ = is_bound ? first_open - shape_.partners_from : first_open;
  arena_.clear();
  entries_.clear();
  froms_.clear();
}

}  // namespace millrace
