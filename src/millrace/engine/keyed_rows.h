#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/data/encoded_keys.h"
#include "millrace/engine/operator.h"
#include "millrace/plan/plan_node.h"

namespace millrace {

/// Encoded rows on their way to an operator that keeps rows by a key: for each state partition in
/// the order in which they were added.
class KeyedRows final : public ExchangeBuffer {
 public:
  /// What of a row is used; columns of the batches that are added.
  struct Shape {
    std::vector<size_t> key;
    std::vector<size_t> rest;
    /// Time by which rows are kept and forgotten, and after which they are late; a window's start
    /// or an event time. None: all go to KeyedState::kOnlyBucket and none is late.
    std::optional<WindowKey> time;
    /// The rows that one meets begin at its time plus this, at most 0.
    Micros partners_from = 0;
    /// Boolean: what Row::flag says. None: false.
    std::optional<size_t> flag;
    /// No row is late: one that comes behind counts from the watermark that it is behind of, see
    /// Row::from.
    bool counts_late_rows = false;
    /// A NULL in the key equals nothing: such rows are filtered out, if that is asked for.
    bool drops_null_keys = false;
  };

  struct Row {
    uint64_t key_hash = 0;   ///< HashEncoded of the encoded key.
    Micros time = 0;         ///< Or KeyedState::kOnlyBucket.
    Micros from = 0;         ///< `time`, or where it counts from if it is late and counts.
    std::string_view entry;  ///< The key as a KeyedState chains it, then the rest.
    int32_t weight = 1;
    bool flag = false;
    bool has_null_key = false;

    std::string_view key() const { return KeyedState::ChainedPrefix(entry); }
    std::string_view rest() const { return KeyedState::ChainedRest(entry); }
  };

  /// `shape` outlives it.
  explicit KeyedRows(const Shape& shape) : shape_(shape) {}

  void Add(const BatchPtr& batch, RowReport& report) override;
  void Partition(uint32_t partitions) override;
  void Start(Micros first_open) override;

  /// Calls `visit(row)` for each row of a state partition.
  template <typename Visit>
  void VisitPartition(uint32_t partition, Visit visit) const {
    const uint32_t begin = partition == 0 ? 0 : partition_ends_[partition - 1];
    for (uint32_t i = begin; i < partition_ends_[partition]; ++i) {
      visit(RowAt(sorted_[i]));
    }
  }

 private:
  struct Entry {
    uint64_t key_hash;
    Micros time;
    uint64_t offset;
    uint32_t size;
    int32_t weight;
    bool flag;
    bool has_null_key;
  };

  Row RowAt(uint32_t index) const {
    const Entry& entry = entries_[index];
    return {.key_hash = entry.key_hash,
            .time = entry.time,
            .from = froms_.empty() ? entry.time : froms_[index],
            .entry = {arena_.data() + entry.offset, entry.size},
            .weight = entry.weight,
            .flag = entry.flag,
            .has_null_key = entry.has_null_key};
  }
  bool HasNullKey(const Batch& batch, uint32_t row) const;
  /// Where the row counts from, by what is closed already.
  Micros FromOf(const Batch& batch, uint32_t row, Micros time) const;
  /// Sets rows_ to those that are to be added.
  void Select(const BatchPtr& batch, RowReport& report);

  const Shape& shape_;
  Micros first_open_ = kMicrosMin;
  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<Micros> froms_;  // By entry, where late rows count.
  std::vector<uint32_t> sorted_;
  std::vector<uint32_t> partition_ends_;
  // Of the batch that is being added.
  std::vector<uint32_t> rows_;
  EncodedKeys keys_;
  EncodedKeys rests_;
};

}  // namespace millrace
