#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "millrace/base/bytes.h"
#include "millrace/base/ids.h"
#include "millrace/base/result.h"
#include "millrace/data/row_encoding.h"
#include "millrace/state/chain_index.h"
#include "millrace/state/group_table.h"
#include "millrace/state/text_arena.h"

namespace millrace {

/// The state of one operator in one state partition: values of fixed width by (bucket, key). A
/// bucket is a span of event time, such as one window, that is dropped as a whole; operators
/// without event time use one bucket.
///
/// Epochs: BeginEpoch, changes, Seal; later Committed or Rollback, in order. What an epoch changed
/// is kept as pre-images until it is committed, so that it can be undone. Used by one thread at a
/// time.
class KeyedState {
 public:
  /// The bucket of operators without event time.
  static constexpr Micros kOnlyBucket = 0;

  explicit KeyedState(ValueShape shape)
      : shape_(std::move(shape)), value_bytes_((shape_.bytes + 7) / 8 * 8) {}
  explicit KeyedState(size_t value_bytes) : KeyedState(ValueShape{.bytes = value_bytes}) {}
  KeyedState(KeyedState&&) noexcept = default;
  KeyedState(const KeyedState&) = delete;

  void BeginEpoch(EpochId epoch);

  /// `hash` is HashEncoded(key). Returns the value of a key, to be changed in place before the next
  /// call; zero when new. Notes it as changed in the open epoch.
  std::byte* Touch(Micros bucket, std::string_view key, uint64_t hash) {
    return Touch(bucket, key, hash, 0);
  }
  /// Of a table with chains: the key is a prefix that ChainedKey has made, then the rest;
  /// `chain_hash` is HashEncoded of what the prefix is made of.
  std::byte* Touch(Micros bucket, std::string_view key, uint64_t hash, uint64_t chain_hash);
  /// Touches a key that is there, by what VisitChain said.
  std::byte* TouchSlot(Micros bucket, GroupSlot slot);
  /// Hints that Touch(bucket, key, hash) comes soon: first Prefetch, and some keys later
  /// PrefetchFound. In vain unless the bucket was touched last.
  void Prefetch(Micros bucket, uint64_t hash) const {
    if (last_ != nullptr && last_bucket_ == bucket) {
      last_->table.Prefetch(hash);
    }
  }
  void PrefetchFound(Micros bucket, uint64_t hash) const {
    if (last_ != nullptr && last_bucket_ == bucket) {
      last_->table.PrefetchFound(hash);
    }
  }

  /// The front of the keys that are to be found by `prefix`.
  static void AppendChainedPrefix(std::string_view prefix, std::string& key);
  /// A chained key without its front.
  static std::string_view ChainedPrefix(std::string_view key) {
    return key.substr(sizeof(uint32_t), ChainedPrefixSize(key));
  }
  static std::string_view ChainedRest(std::string_view key) {
    return key.substr(sizeof(uint32_t) + ChainedPrefixSize(key));
  }

  /// Calls `visit(bucket, slot, key, value)` for each key of the buckets in [from, to) that has the
  /// prefix, in no particular order; `value` may be empty (see ValueShape). Only of tables with
  /// chains. The visitor does not touch.
  template <typename Visit>
  void VisitChain(Micros from, Micros to, std::string_view prefix, uint64_t chain_hash,
                  Visit visit) const {
    for (auto place = buckets_.lower_bound(from); place != buckets_.end() && place->first < to;
         ++place) {
      const Bucket& bucket = *place->second;
      for (GroupSlot slot = bucket.chains->First(chain_hash); slot != GroupTable::kNone;
           slot = bucket.chains->Next(slot)) {
        const std::string_view key = bucket.table.Key(slot);
        if (ChainedPrefix(key) == prefix) {
          visit(place->first, slot, key, bucket.table.Value(slot));
        }
      }
    }
  }

  /// Where the texts of the value that was touched last belong.
  TextArena& touched_texts() { return last_->texts; }

  /// Drops all buckets below `before`.
  void DropBuckets(Micros before);

  /// Visits what the open epoch touched: bucket, key, the value before the epoch (null when the key
  /// was not there) and now. In order of bucket, then of first touch. Dropped buckets are left out.
  using ChangeVisitor = std::function<Status(Micros bucket, std::string_view key,
                                             const std::byte* before, const std::byte* after)>;
  Status VisitChanges(const ChangeVisitor& visit) const;

  /// Visits all keys of the buckets in [from, to), buckets ascending.
  using Visitor =
      std::function<Status(Micros bucket, std::string_view key, const std::byte* value)>;
  Status Visit(Micros from, Micros to, const Visitor& visit) const;

  /// Appends the changes of the open epoch to `out` and closes it. Applying sealed epochs in order
  /// with Restore gives the same state.
  void Seal(Bytes& out);

  /// Appends full rows from where the last call stopped, about `bytes_max` of them. Returns true
  /// when that completed a walk over everything; the next call starts again. Between epochs only.
  bool AppendSnapshot(size_t bytes_max, Bytes& out);

  /// Applies what Seal or AppendSnapshot wrote. Before the first epoch only.
  Status Restore(ByteReader& reader);

  /// Forgets how to undo `epoch` and those before.
  void Committed(EpochId epoch);
  /// Undoes `epoch` and all later ones, sealed or open.
  void Rollback(EpochId epoch);

  size_t keys() const;
  size_t MemoryBytes() const;
  /// Bucket starts, ascending.
  std::vector<Micros> Buckets() const;

 private:
  struct Bucket {
    Bucket(size_t value_bytes, bool is_chained)
        : table(value_bytes + sizeof(uint64_t)),
          chains(is_chained ? std::make_unique<ChainIndex>() : nullptr) {}
    GroupTable table;                    // Behind each value: the epoch that touched it last.
    std::unique_ptr<ChainIndex> chains;  // Null unless the shape says so.
    TextArena texts;
    size_t texts_bytes_kept = 0;  // Of `texts` after the last compaction.
  };
  struct Change {
    GroupSlot slot;
    bool is_new;
    size_t pre_image;  // Offset into pre_images; unused when new.
  };
  struct EpochLog {
    EpochId epoch;
    std::map<Micros, std::vector<Change>> changes;
    std::vector<std::byte> pre_images;
    std::vector<std::pair<Micros, GroupSlot>> emptied;  // Once sealed.
    std::vector<Micros> created;
    std::map<Micros, std::unique_ptr<Bucket>> dropped;
  };

  static uint32_t ChainedPrefixSize(std::string_view key) {
    uint32_t size = 0;
    std::memcpy(&size, key.data(), sizeof(size));
    return size;
  }
  bool IsEmpty(const std::byte* value) const;
  uint64_t TouchedIn(const std::byte* value) const {
    uint64_t epoch = 0;
    std::memcpy(&epoch, value + value_bytes_, sizeof(epoch));
    return epoch;
  }
  void SetTouchedIn(std::byte* value, uint64_t epoch) const {
    std::memcpy(value + value_bytes_, &epoch, sizeof(epoch));
  }
  std::unique_ptr<Bucket> MakeBucket() const {
    return std::make_unique<Bucket>(value_bytes_, shape_.is_chained);
  }
  Bucket& OpenBucket(Micros bucket);
  std::byte* NoteChange(GroupSlot slot, bool is_new);
  /// Takes a key out of a bucket.
  static void Erase(Bucket& bucket, GroupSlot slot);
  void Undo(EpochLog& log);
  static void PrefetchChange(const GroupTable& table, std::span<const Change> changes,
                             size_t index);
  void AppendRow(const GroupTable& table, GroupSlot slot, ByteWriter& writer) const;
  Status RestoreTexts(Bucket& bucket, std::byte* value, ByteReader& reader) const;
  void CompactTexts(Micros start, Bucket& bucket);
  void CopyTexts(std::byte* value, TextArena& arena) const;

  const ValueShape shape_;
  const size_t value_bytes_;
  std::map<Micros, std::unique_ptr<Bucket>> buckets_;
  std::deque<EpochLog> logs_;
  bool open_ = false;
  Micros last_bucket_ = 0;
  Bucket* last_ = nullptr;  // Of the last Touch.
  std::vector<Change>* last_changes_ = nullptr;
  Micros snapshot_bucket_ = kMicrosMin;
  GroupSlot snapshot_slot_ = 0;
};

}  // namespace millrace
