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

  explicit KeyedState(ValueShape shape) : shape_(std::move(shape)) {}
  explicit KeyedState(size_t value_bytes) : KeyedState(ValueShape{value_bytes, {}}) {}
  KeyedState(KeyedState&&) noexcept = default;
  KeyedState(const KeyedState&) = delete;

  void BeginEpoch(EpochId epoch);

  /// `hash` is HashEncoded(key). Returns the value of a key, to be changed in place before the next
  /// call; zero when new. Notes it as changed in the open epoch.
  std::byte* Touch(Micros bucket, std::string_view key, uint64_t hash);

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
    explicit Bucket(size_t value_bytes) : table(value_bytes) {}
    GroupTable table;
    std::vector<uint64_t> touched;  // By slot: the epoch that touched it last.
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
    std::vector<Micros> created;
    std::map<Micros, std::unique_ptr<Bucket>> dropped;
  };

  void Undo(EpochLog& log);
  void AppendRow(const GroupTable& table, GroupSlot slot, ByteWriter& writer) const;
  Status RestoreTexts(Bucket& bucket, std::byte* value, ByteReader& reader) const;
  void CompactTexts(Micros start, Bucket& bucket);
  void CopyTexts(std::byte* value, TextArena& arena) const;

  const ValueShape shape_;
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
