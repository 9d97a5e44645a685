#include "millrace/state/keyed_state.h"

#include <algorithm>

#include "millrace/base/planted_bug.h"
#include "millrace/data/row_encoding.h"
#include "millrace/state/steady_growth.h"

namespace millrace {

namespace {

/// Texts that were replaced stay in a bucket's arena up to as much as was kept last, and this.
constexpr size_t kTextGarbageMin = 64 << 10;

/// How far ahead of its use a changed record is fetched.
constexpr size_t kChangesAhead = 8;

TextRef LoadText(const std::byte* value, size_t offset) {
  TextRef text;
  std::memcpy(&text, value + offset, sizeof(text));
  return text;
}

void StoreText(std::byte* value, size_t offset, TextRef text) {
  std::memcpy(value + offset, &text, sizeof(text));
}

}  // namespace

void KeyedState::BeginEpoch(EpochId epoch) {
  MR_CHECK(!open_ && (logs_.empty() || logs_.back().epoch < epoch), "epoch {}", epoch);
  logs_.emplace_back().epoch = epoch;
  open_ = true;
  last_ = nullptr;
}

std::byte* KeyedState::Touch(Micros bucket, std::string_view key, uint64_t hash,
                             uint64_t chain_hash) {
  Bucket& state = OpenBucket(bucket);
  const auto [slot, is_new] = state.table.FindOrInsert(key, hash);
  if (is_new && state.chains != nullptr) {
    state.chains->Link(slot, chain_hash);
  }
  return NoteChange(slot, is_new);
}

std::byte* KeyedState::TouchSlot(Micros bucket, GroupSlot slot) {
  OpenBucket(bucket);
  return NoteChange(slot, false);
}

KeyedState::Bucket& KeyedState::OpenBucket(Micros bucket) {
  MR_DCHECK(open_);
  if (last_ == nullptr || last_bucket_ != bucket) {
    EpochLog& log = logs_.back();
    auto [place, created] = buckets_.try_emplace(bucket);
    if (created) {
      place->second = MakeBucket();
      log.created.push_back(bucket);
    }
    last_bucket_ = bucket;
    last_ = place->second.get();
    last_changes_ = &log.changes[bucket];
  }
  return *last_;
}

/// Notes that a key of the bucket that was opened last changes in this epoch.
std::byte* KeyedState::NoteChange(GroupSlot slot, bool is_new) {
  EpochLog& log = logs_.back();
  std::byte* value = last_->table.Value(slot);
  if (TouchedIn(value) != log.epoch.value()) {
    SetTouchedIn(value, log.epoch.value());
    last_changes_->push_back({.slot = slot, .is_new = is_new, .pre_image = log.pre_images.size()});
    if (!is_new) {
      log.pre_images.insert(log.pre_images.end(), value, value + value_bytes_);
    }
  }
  return value;
}

void KeyedState::AppendChainedPrefix(std::string_view prefix, std::string& key) {
  const auto size = static_cast<uint32_t>(prefix.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof(size));
  key += prefix;
}

bool KeyedState::IsEmpty(const std::byte* value) const {
  uint64_t first = 0;
  std::memcpy(&first, value, sizeof(first));
  return first == 0 && !shape_.keeps_empty;
}

void KeyedState::Erase(Bucket& bucket, GroupSlot slot) {
  if (bucket.chains != nullptr) {
    bucket.chains->Unlink(slot, HashEncoded(ChainedPrefix(bucket.table.Key(slot))));
  }
  bucket.table.Erase(slot);
}

void KeyedState::DropBuckets(Micros before) {
  EpochLog& log = logs_.back();
  while (!buckets_.empty() && buckets_.begin()->first < before) {
    auto node = buckets_.extract(buckets_.begin());
    log.dropped.emplace(node.key(), std::move(node.mapped()));
  }
  last_ = nullptr;
}

void KeyedState::PrefetchChange(const GroupTable& table, std::span<const Change> changes,
                                size_t index) {
  if (index < changes.size()) {
    table.PrefetchSlot(changes[index].slot);
  }
}

Status KeyedState::VisitChanges(const ChangeVisitor& visit) const {
  const EpochLog& log = logs_.back();
  for (const auto& [bucket, changes] : log.changes) {
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) {
      continue;
    }
    const GroupTable& table = found->second->table;
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = changes[i];
      PrefetchChange(table, changes, i + kChangesAhead);
      const std::byte* before = change.is_new ? nullptr : log.pre_images.data() + change.pre_image;
      MR_TRY(visit(bucket, table.Key(change.slot), before, table.Value(change.slot)));
    }
  }
  return {};
}

Status KeyedState::Visit(Micros from, Micros to, const Visitor& visit) const {
  for (auto place = buckets_.lower_bound(from); place != buckets_.end() && place->first < to;
       ++place) {
    const GroupTable& table = place->second->table;
    for (GroupSlot slot = 0; slot < table.slot_limit(); ++slot) {
      if (table.IsLive(slot)) {
        MR_TRY(visit(place->first, table.Key(slot), table.Value(slot)));
      }
    }
  }
  return {};
}

// A section: u32 count of dropped buckets, their starts; u32 count of buckets, and for each its
// start, u32 count of rows, and for each row the key (u32 length, bytes), the value with its texts'
// addresses as 0, and the texts (u32 length, bytes).

void KeyedState::AppendRow(const GroupTable& table, GroupSlot slot, ByteWriter& writer) const {
  writer.PutString(table.Key(slot));
  const std::span<const std::byte> value(table.Value(slot), value_bytes_);
  if (shape_.texts.empty()) {
    writer.PutBytes(value);
    return;
  }
  Bytes stored(value.begin(), value.end());
  for (const size_t offset : shape_.texts) {
    StoreText(stored.data(), offset, {});
  }
  writer.PutBytes(stored);
  for (const size_t offset : shape_.texts) {
    writer.PutString(LoadText(value.data(), offset).view());
  }
}

Status KeyedState::RestoreTexts(Bucket& bucket, std::byte* value, ByteReader& reader) const {
  for (const size_t offset : shape_.texts) {
    MR_ASSIGN(const auto text, reader.GetString());
    StoreText(value, offset, bucket.texts.Copy(text));
  }
  return {};
}

void KeyedState::CopyTexts(std::byte* value, TextArena& arena) const {
  for (const size_t offset : shape_.texts) {
    StoreText(value, offset, arena.Copy(LoadText(value, offset).view()));
  }
}

void KeyedState::CompactTexts(Micros start, Bucket& bucket) {
  if (bucket.texts.bytes() <= 2 * bucket.texts_bytes_kept + kTextGarbageMin) {
    return;
  }
  TextArena kept;
  for (GroupSlot slot = 0; slot < bucket.table.slot_limit(); ++slot) {
    if (bucket.table.IsLive(slot)) {
      CopyTexts(bucket.table.Value(slot), kept);
    }
  }
  bucket.texts_bytes_kept = kept.bytes();
  // Pre-images of this bucket; not of one that had its start before it was made.
  for (auto log = logs_.rbegin(); log != logs_.rend(); ++log) {
    if (const auto found = log->changes.find(start); found != log->changes.end()) {
      for (const Change& change : found->second) {
        if (!change.is_new) {
          CopyTexts(log->pre_images.data() + change.pre_image, kept);
        }
      }
    }
    if (std::ranges::find(log->created, start) != log->created.end()) {
      break;
    }
  }
  bucket.texts = std::move(kept);
}

void KeyedState::Seal(Bytes& out) {
  MR_CHECK(open_);
  EpochLog& log = logs_.back();
  ByteWriter writer(out);
  writer.Put(static_cast<uint32_t>(MR_PLANTED(DroppedBucketsForgotten) ? 0 : log.dropped.size()));
  for (const auto& [bucket, state] : log.dropped) {
    if (!MR_PLANTED(DroppedBucketsForgotten)) {
      writer.Put(bucket);
    }
  }
  const size_t count_at = out.size();
  uint32_t count = 0;
  writer.Put(count);
  for (const auto& [bucket, changes] : log.changes) {
    const auto found = buckets_.find(bucket);
    if (found == buckets_.end()) {
      continue;
    }
    ++count;
    writer.Put(bucket);
    writer.Put(static_cast<uint32_t>(changes.size()));
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = changes[i];
      PrefetchChange(found->second->table, changes, i + kChangesAhead);
      AppendRow(found->second->table, change.slot, writer);
      if (IsEmpty(found->second->table.Value(change.slot))) {
        log.emptied.emplace_back(bucket, change.slot);
      }
    }
    CompactTexts(bucket, *found->second);
  }
  writer.Patch(count_at, count);
  open_ = false;
  last_ = nullptr;
}

bool KeyedState::AppendSnapshot(size_t bytes_max, Bytes& out) {
  MR_CHECK(!open_);
  ByteWriter writer(out);
  writer.Put(uint32_t{0});
  const size_t count_at = out.size();
  uint32_t count = 0;
  writer.Put(count);
  const size_t end = out.size() + bytes_max;
  auto place = buckets_.lower_bound(snapshot_bucket_);
  if (place != buckets_.end() && place->first != snapshot_bucket_) {
    snapshot_slot_ = 0;
  }
  for (; place != buckets_.end() && out.size() < end; ++place) {
    const GroupTable& table = place->second->table;
    writer.Put(place->first);
    const size_t rows_at = out.size();
    uint32_t rows = 0;
    writer.Put(rows);
    for (; snapshot_slot_ < table.slot_limit() && out.size() < end; ++snapshot_slot_) {
      if (table.IsLive(snapshot_slot_)) {
        AppendRow(table, snapshot_slot_, writer);
        ++rows;
      }
    }
    writer.Patch(rows_at, rows);
    ++count;
    snapshot_bucket_ = place->first;
    if (snapshot_slot_ < table.slot_limit()) {
      break;
    }
    snapshot_slot_ = 0;
  }
  writer.Patch(count_at, count);
  if (place != buckets_.end()) {
    snapshot_bucket_ = place->first;
    return false;
  }
  snapshot_bucket_ = kMicrosMin;
  snapshot_slot_ = 0;
  return true;
}

Status KeyedState::Restore(ByteReader& reader) {
  MR_ASSIGN(const auto dropped, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < dropped; ++i) {
    MR_ASSIGN(const auto bucket, reader.Get<Micros>());
    buckets_.erase(bucket);
  }
  MR_ASSIGN(const auto count, reader.Get<uint32_t>());
  for (uint32_t i = 0; i < count; ++i) {
    MR_ASSIGN(const auto bucket, reader.Get<Micros>());
    MR_ASSIGN(const auto rows, reader.Get<uint32_t>());
    auto& state = buckets_[bucket];
    if (state == nullptr) {
      state = MakeBucket();
    }
    for (uint32_t row = 0; row < rows; ++row) {
      MR_ASSIGN(const auto key, reader.GetString());
      MR_ASSIGN(const auto value, reader.GetBytes(value_bytes_));
      const auto inserted = state->table.FindOrInsert(key, HashEncoded(key));
      std::memcpy(state->table.Value(inserted.slot), value.data(), value.size());
      MR_TRY(RestoreTexts(*state, state->table.Value(inserted.slot), reader));
      if (inserted.is_new && state->chains != nullptr) {
        state->chains->Link(inserted.slot, HashEncoded(ChainedPrefix(key)));
      }
      if (IsEmpty(state->table.Value(inserted.slot))) {
        Erase(*state, inserted.slot);
      }
    }
  }
  return {};
}

void KeyedState::Committed(EpochId epoch) {
  while (!logs_.empty() && logs_.front().epoch <= epoch) {
    for (const auto& [bucket, slot] : logs_.front().emptied) {
      const auto found = buckets_.find(bucket);
      // Otherwise it was touched again, or its bucket is gone.
      if (found != buckets_.end() && slot < found->second->table.slot_limit() &&
          found->second->table.IsLive(slot) &&
          TouchedIn(found->second->table.Value(slot)) == logs_.front().epoch.value()) {
        Erase(*found->second, slot);
      }
    }
    logs_.pop_front();
  }
}

void KeyedState::Rollback(EpochId epoch) {
  while (!logs_.empty() && logs_.back().epoch >= epoch) {
    Undo(logs_.back());
    logs_.pop_back();
  }
  open_ = false;
  last_ = nullptr;
  snapshot_bucket_ = kMicrosMin;
  snapshot_slot_ = 0;
}

void KeyedState::Undo(EpochLog& log) {
  for (auto& [bucket, state] : log.dropped) {
    buckets_[bucket] = std::move(state);
  }
  for (const auto& [bucket, changes] : log.changes) {
    Bucket& state = *buckets_.at(bucket);
    for (const Change& change : changes) {
      if (change.is_new) {
        Erase(state, change.slot);
      } else if (!MR_PLANTED(PreImageForgotten)) {
        std::memcpy(state.table.Value(change.slot), log.pre_images.data() + change.pre_image,
                    value_bytes_);
        SetTouchedIn(state.table.Value(change.slot), 0);
      }
    }
  }
  for (const Micros bucket : log.created) {
    buckets_.erase(bucket);
  }
}

size_t KeyedState::keys() const {
  size_t keys = 0;
  for (const auto& [bucket, state] : buckets_) {
    keys += state->table.size();
  }
  return keys;
}

size_t KeyedState::MemoryBytes() const {
  size_t bytes = 0;
  for (const auto& [bucket, state] : buckets_) {
    bytes += state->table.MemoryBytes() + state->texts.MemoryBytes() +
             (state->chains == nullptr ? 0 : state->chains->MemoryBytes());
  }
  return bytes;
}

std::vector<Micros> KeyedState::Buckets() const {
  std::vector<Micros> starts;
  starts.reserve(buckets_.size());
  for (const auto& [bucket, state] : buckets_) {
    starts.push_back(bucket);
  }
  return starts;
}

}  // namespace millrace
