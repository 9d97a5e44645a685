#include "millrace/stream/stream_table.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

size_t MemoryOf(const StreamFrame& frame) {
  return frame.batch != nullptr ? frame.batch->MemoryBytes() : frame.payload->size();
}

void SetSplit(Transport::SourcePositions& splits, const std::string& split, std::string value) {
  if (value.empty()) {
    splits.erase(split);
  } else {
    splits[split] = std::move(value);
  }
}

using ReaderPositions = std::map<std::string, Transport::Positions, std::less<>>;

void SetPosition(ReaderPositions& readers, const PositionUpdate& update) {
  const StreamTable::Position at{update.stream, update.partition};
  if (update.next != kForgottenPosition) {
    readers[update.reader][at] = update.next;
    return;
  }
  const auto reader = readers.find(update.reader);
  if (reader != readers.end() && reader->second.erase(at) > 0 && reader->second.empty()) {
    readers.erase(reader);
  }
}

Transport::Positions PositionsOf(const ReaderPositions& readers, std::string_view reader) {
  const auto found = readers.find(reader);
  return found == readers.end() ? Transport::Positions() : found->second;
}

/// Adds to `content` that a reader has no position any more.
void Forget(const ReaderPositions& readers, const std::string& reader, EpochContent& content) {
  for (const auto& [at, next] : PositionsOf(readers, reader)) {
    content.positions.push_back({reader, at.first, at.second, kForgottenPosition});
  }
}

}  // namespace

void StreamTable::AddStream(StreamInfo info) {
  MutexLock lock(mutex_);
  const StreamId id = info.id;
  if (!IsDropped(info.definition)) {
    by_name_[info.definition.name] = id;
  }
  auto [place, added] = streams_.try_emplace(id);
  MR_CHECK(added, "stream {}", id);
  place->second.partitions.resize(info.definition.partitions);
  place->second.info = std::move(info);
}

void StreamTable::Redefine(const StreamInfo& info) {
  MutexLock lock(mutex_);
  Stream& stream = At(info.id);
  MR_CHECK(stream.partitions.size() == info.definition.partitions, "stream {} keeps partitions",
           info.id);
  by_name_.erase(stream.info.definition.name);
  stream.info = info;
  if (!IsDropped(info.definition)) {
    const bool is_free = by_name_.try_emplace(info.definition.name, info.id).second;
    MR_CHECK(is_free, "the name {} is taken", info.definition.name);
  }
}

StreamTable::PlannedChanges StreamTable::Plan(const StreamChanges& changes) {
  MutexLock lock(mutex_);
  PlannedChanges planned;
  for (const StreamId id : changes.dropped) {
    const Stream& stream = At(id);
    planned.definitions.push_back({.id = id, .definition = Dropped(stream.info.definition)});
    for (uint32_t p = 0; p < stream.partitions.size(); ++p) {
      planned.content.trims.push_back({id, PartitionId(p), stream.partitions[p].appended_end});
    }
  }
  planned.definitions.insert(planned.definitions.end(), changes.redefined.begin(),
                             changes.redefined.end());
  for (const auto& [from, to] : changes.renamed) {
    const StreamInfo& before = At(by_name_.at(from)).info;
    planned.definitions.push_back({.id = before.id, .definition = Renamed(before.definition, to)});
  }
  for (const std::string& reader : changes.forgotten_readers) {
    Forget(positions_, reader, planned.content);
  }
  for (const auto& [from, to] : changes.renamed_readers) {
    Forget(positions_, to, planned.content);
    for (const auto& [at, next] : PositionsOf(positions_, from)) {
      planned.content.positions.push_back({to, at.first, at.second, next});
    }
    Forget(positions_, from, planned.content);
  }
  for (const std::string& source : changes.forgotten_sources) {
    const auto found = source_positions_.find(source);
    if (found != source_positions_.end()) {
      for (const auto& [split, value] : found->second) {
        planned.content.source_positions.push_back({source, split, ""});
      }
    }
  }
  return planned;
}

std::optional<StreamInfo> StreamTable::Find(std::string_view name) {
  MutexLock lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(At(found->second).info);
}

std::optional<StreamInfo> StreamTable::Find(StreamId id) {
  MutexLock lock(mutex_);
  const auto found = streams_.find(id);
  return found == streams_.end() ? std::nullopt : std::optional(found->second.info);
}

std::vector<StreamInfo> StreamTable::Streams() {
  MutexLock lock(mutex_);
  std::vector<StreamInfo> infos;
  infos.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) {
    infos.push_back(stream.info);
  }
  return infos;
}

PartitionInfo StreamTable::Describe(StreamId stream, PartitionId partition) {
  MutexLock lock(mutex_);
  const Partition& state = At(stream, partition);
  return {.begin = state.begin,
          .durable_end = state.durable_end,
          .appended_end = state.appended_end,
          .max_event_time = state.max_event_time,
          .stored_bytes = state.stored_bytes,
          .control_frames = state.control_frames};
}

Offset StreamTable::OffsetBehind(StreamId stream, PartitionId partition, size_t bytes, Offset end) {
  MutexLock lock(mutex_);
  const Partition& state = At(stream, partition);
  Offset behind = state.begin;
  size_t passed = 0;
  for (auto entry = state.entries.begin();
       passed < bytes && entry != state.entries.end() && entry->begin + entry->count <= end;
       ++entry) {
    passed += entry->location.bytes;
    behind = entry->begin + entry->count;
  }
  return behind;
}

void StreamTable::AppendLocked(EpochContent& content) {
  for (AppendedFrame& appended : content.frames) {
    Partition& partition = At(appended.stream, appended.partition);
    StreamFrame& frame = appended.frame;
    frame.begin = partition.appended_end;
    frame.max_event_time_before = partition.max_event_time;
    partition.max_event_time = std::max(partition.max_event_time, frame.times.max);
    partition.appended_end = frame.end();
    const size_t bytes = MemoryOf(frame);
    SetCachedBytes(cached_bytes_ + bytes);
    ++cached_frames_;
    partition.entries.push_back({.begin = frame.begin,
                                 .count = frame.count,
                                 .is_control = frame.type == FrameType::kControl,
                                 .location = {},
                                 .cached = std::make_shared<const StreamFrame>(frame),
                                 .cached_bytes = bytes});
  }
  // What is beyond the end only the table knows; recovery must read the same begin from the
  // journal.
  for (TrimUpdate& trim : content.trims) {
    trim.begin = std::min(trim.begin, At(trim.stream, trim.partition).appended_end);
  }
}

void StreamTable::Publish(const EpochContent& content, std::span<const FrameLocation> locations) {
  const std::vector<StreamId> streams = StreamsOf(content);
  const std::set<StreamId> awaited = SubscribedOf(streams);
  {
    MutexLock lock(mutex_);
    PublishLocked(content, locations, awaited);
    EvictCached();
  }
  Notify(streams, Visibility::kDurable);
}

void StreamTable::PublishLocked(const EpochContent& content,
                                std::span<const FrameLocation> locations,
                                const std::set<StreamId>& awaited) {
  for (size_t i = 0; i < content.frames.size(); ++i) {
    const AppendedFrame& appended = content.frames[i];
    Partition& partition = At(appended.stream, appended.partition);
    MR_CHECK(partition.durable_end == appended.frame.begin, "publish out of order");
    partition.durable_end = appended.frame.end();
    partition.durable_max_event_time =
        std::max(partition.durable_max_event_time, appended.frame.times.max);
    Entry* const entry = FindEntry(partition, appended.frame.begin);
    if (entry == nullptr) {
      continue;
    }
    partition.control_frames += entry->is_control ? 1 : 0;
    if (locations.empty()) {
      SetLocation(partition, *entry, {.bytes = static_cast<uint32_t>(entry->cached_bytes)});
    } else {
      SetLocation(partition, *entry, locations[i]);
      if (awaited.contains(appended.stream)) {
        evictable_.push_back({{appended.stream, appended.partition}, entry->begin});
      } else {
        Uncache(*entry);
      }
    }
  }
  for (const PositionUpdate& update : content.positions) {
    SetPosition(positions_, update);
  }
  for (const SourcePositionUpdate& update : content.source_positions) {
    SetSplit(source_positions_[update.source], update.split, update.value);
  }
  for (const TrimUpdate& trim : content.trims) {
    Partition& partition = At(trim.stream, trim.partition);
    partition.begin = std::clamp(trim.begin, partition.begin, partition.durable_end);
    while (!partition.entries.empty() &&
           partition.entries.front().begin + partition.entries.front().count <= partition.begin) {
      DropFront(partition);
    }
  }
}

void StreamTable::SetLocation(Partition& partition, Entry& entry, const FrameLocation& location) {
  partition.stored_bytes += location.bytes;
  partition.stored_bytes -= entry.location.bytes;
  entry.location = location;
}

void StreamTable::DropFront(Partition& partition) {
  Entry& front = partition.entries.front();
  partition.stored_bytes -= front.location.bytes;
  partition.control_frames -= front.is_control ? 1 : 0;
  Uncache(front);
  partition.entries.pop_front();
}

void StreamTable::EvictCached() {
  const auto find = [&](const std::pair<Position, Offset>& frame) MR_REQUIRES(mutex_) {
    return FindEntry(At(frame.first.first, frame.first.second), frame.second);
  };
  while (cached_bytes_ > cache_bytes_max_ && !evictable_.empty()) {
    if (Entry* entry = find(evictable_.front()); entry != nullptr) {
      Uncache(*entry);
    }
    evictable_.pop_front();
  }
  constexpr size_t kStaleMin = 1024;
  if (evictable_.size() > 2 * cached_frames_ + kStaleMin) {
    std::erase_if(evictable_,
                  [&](const auto& frame) MR_REQUIRES(mutex_) { return find(frame) == nullptr; });
  }
}

void StreamTable::Uncache(Entry& entry) {
  if (entry.cached != nullptr) {
    SetCachedBytes(cached_bytes_ - std::exchange(entry.cached_bytes, 0));
    --cached_frames_;
    entry.cached.reset();
  }
}

void StreamTable::SetCachedBytes(size_t bytes) {
  cached_bytes_ = bytes;
  metrics_.bytes.Set(static_cast<double>(bytes));
}

void StreamTable::DropUnpublished() {
  MutexLock lock(mutex_);
  for (auto& [id, stream] : streams_) {
    for (Partition& partition : stream.partitions) {
      while (!partition.entries.empty() &&
             partition.entries.back().begin >= partition.durable_end) {
        Uncache(partition.entries.back());
        partition.entries.pop_back();
      }
      partition.appended_end = partition.durable_end;
      partition.max_event_time = partition.durable_max_event_time;
    }
  }
}

void StreamTable::RestoreFrame(StreamId stream, const FrameKey& key, FrameType type,
                               const FrameLocation& location) {
  MutexLock lock(mutex_);
  At(stream, key.partition)
      .entries.push_back({.begin = key.begin,
                          .count = key.count,
                          .is_control = type == FrameType::kControl,
                          .location = location,
                          .cached = {}});
}

void StreamTable::RestoreBounds(StreamId stream, PartitionId partition, Offset begin, Offset end,
                                Micros max_event_time) {
  MutexLock lock(mutex_);
  Partition& state = At(stream, partition);
  state.begin = begin;
  state.durable_end = end;
  state.appended_end = end;
  state.max_event_time = max_event_time;
  state.durable_max_event_time = max_event_time;
  std::erase_if(state.entries, [&](const Entry& entry) {
    return entry.begin + entry.count <= begin || entry.begin >= end;
  });
  std::ranges::stable_sort(state.entries, {}, &Entry::begin);
  std::ranges::reverse(state.entries);
  const auto repeats = std::ranges::unique(state.entries, {}, &Entry::begin);
  state.entries.erase(repeats.begin(), repeats.end());
  std::ranges::reverse(state.entries);
  state.stored_bytes = 0;
  state.control_frames = 0;
  for (const Entry& entry : state.entries) {
    state.control_frames += entry.is_control ? 1 : 0;
    state.stored_bytes += entry.location.bytes;
  }
}

void StreamTable::RestorePosition(std::string reader, Position at, Offset next) {
  MutexLock lock(mutex_);
  SetPosition(positions_, {std::move(reader), at.first, at.second, next});
}

void StreamTable::RestoreSourcePosition(std::string source, const std::string& split,
                                        std::string value) {
  MutexLock lock(mutex_);
  SetSplit(source_positions_[std::move(source)], split, std::move(value));
}

void StreamTable::Relocate(StreamId stream, std::span<const Move> moves) {
  MutexLock lock(mutex_);
  while (!moves.empty()) {
    const PartitionId partition = moves.front().key.partition;
    const auto end = std::ranges::find_if(
        moves, [&](const Move& move) { return move.key.partition != partition; });
    const auto count = static_cast<size_t>(end - moves.begin());
    RelocateIn(At(stream, partition), moves.first(count));
    moves = moves.subspan(count);
  }
}

void StreamTable::RelocateIn(Partition& partition, std::span<const Move> moves) {
  auto from =
      std::ranges::lower_bound(partition.entries, moves.front().key.begin, {}, &Entry::begin);
  auto to = from;
  for (const Move& move : moves) {
    for (; from != partition.entries.end() && from->begin < move.key.begin; ++from, ++to) {
      if (to != from) {
        *to = std::move(*from);
      }
    }
    const Offset end = move.key.begin + move.key.count;
    const auto first = from;
    while (from != partition.entries.end() && from->begin < end) {
      ++from;
    }
    if (first == from) {
      continue;
    }
    std::for_each(first, from,
                  [&](const Entry& entry) { partition.stored_bytes -= entry.location.bytes; });
    Entry joined = std::move(*first);
    if (from - first > 1 || joined.begin != move.key.begin) {
      Uncache(joined);
      std::for_each(first + 1, from, [&](Entry& entry) MR_REQUIRES(mutex_) { Uncache(entry); });
    }
    joined.begin = move.key.begin;
    joined.count = move.key.count;
    joined.location = move.to;
    partition.stored_bytes += move.to.bytes;
    *to++ = std::move(joined);
  }
  if (to != from) {
    partition.entries.erase(std::move(from, partition.entries.end(), to), partition.entries.end());
  }
}

std::set<uint64_t> StreamTable::SegmentsInUse(StreamId stream) {
  MutexLock lock(mutex_);
  std::set<uint64_t> segments;
  for (const Partition& partition : At(stream).partitions) {
    for (const Entry& entry : partition.entries) {
      if (entry.location.kind == FrameLocation::Kind::kSegment) {
        segments.insert(entry.location.file);
      }
    }
  }
  return segments;
}

std::vector<StreamTable::Snapshot::PartitionState> StreamTable::Bounds(StreamId stream) {
  MutexLock lock(mutex_);
  std::vector<Snapshot::PartitionState> bounds;
  AppendBounds(At(stream), bounds);
  return bounds;
}

void StreamTable::AppendBounds(const Stream& stream, std::vector<Snapshot::PartitionState>& out) {
  for (uint32_t p = 0; p < stream.partitions.size(); ++p) {
    const Partition& partition = stream.partitions[p];
    out.push_back({.at = {stream.info.id, PartitionId(p)},
                   .begin = partition.begin,
                   .end = partition.durable_end,
                   .max_event_time = partition.durable_max_event_time});
  }
}

Status StreamTable::CheckContiguous() {
  MutexLock lock(mutex_);
  for (const auto& [id, stream] : streams_) {
    for (size_t p = 0; p < stream.partitions.size(); ++p) {
      const Partition& partition = stream.partitions[p];
      Offset expected = partition.begin;
      for (const Entry& entry : partition.entries) {
        const bool first = &entry == &partition.entries.front();
        if (entry.begin != expected && !(first && entry.begin < expected)) {
          break;
        }
        expected = entry.begin + entry.count;
      }
      if (expected != partition.durable_end) {
        return Err(ErrorCode::kCorruption,
                   fmt::format("stream {} partition {}: records from offset {} to {} are missing",
                               stream.info.definition.name, p, expected, partition.durable_end));
      }
    }
  }
  return {};
}

StreamTable::Snapshot StreamTable::TakeSnapshot() {
  MutexLock lock(mutex_);
  Snapshot snapshot;
  for (const auto& [id, stream] : streams_) {
    AppendBounds(stream, snapshot.partitions);
  }
  for (const auto& [reader, positions] : positions_) {
    for (const auto& [at, next] : positions) {
      snapshot.positions.push_back({reader, at.first, at.second, next});
    }
  }
  for (const auto& [source, splits] : source_positions_) {
    for (const auto& [split, value] : splits) {
      snapshot.source_positions.push_back({source, split, value});
    }
  }
  return snapshot;
}

Transport::Positions StreamTable::ReaderPositions(std::string_view reader) {
  MutexLock lock(mutex_);
  return PositionsOf(positions_, reader);
}

Transport::SourcePositions StreamTable::SourcePositionsOf(std::string_view source) {
  MutexLock lock(mutex_);
  const auto found = source_positions_.find(source);
  return found == source_positions_.end() ? Transport::SourcePositions{} : found->second;
}

SubscriptionId StreamTable::Subscribe(StreamId stream, Visibility visibility,
                                      std::function<void()> notify) {
  MutexLock lock(subscriptions_mutex_);
  subscriptions_.push_back({next_subscription_, stream, visibility, std::move(notify)});
  return next_subscription_++;
}

void StreamTable::Unsubscribe(SubscriptionId id) {
  MutexLock lock(subscriptions_mutex_);
  std::erase_if(subscriptions_, [id](const Subscription& s) { return s.id == id; });
}

std::vector<StreamId> StreamTable::StreamsOf(const EpochContent& content) {
  std::set<StreamId> streams;
  for (const AppendedFrame& frame : content.frames) {
    streams.insert(frame.stream);
  }
  return {streams.begin(), streams.end()};
}

std::set<StreamId> StreamTable::SubscribedOf(std::span<const StreamId> streams) {
  std::set<StreamId> subscribed;
  MutexLock lock(subscriptions_mutex_);
  for (const Subscription& subscription : subscriptions_) {
    if (std::ranges::binary_search(streams, subscription.stream)) {
      subscribed.insert(subscription.stream);
    }
  }
  return subscribed;
}

void StreamTable::Notify(std::span<const StreamId> streams, Visibility visibility) {
  MutexLock lock(subscriptions_mutex_);
  for (const Subscription& subscription : subscriptions_) {
    if (subscription.visibility == visibility &&
        std::ranges::binary_search(streams, subscription.stream)) {
      subscription.notify();
    }
  }
}

size_t StreamTable::cached_bytes() {
  MutexLock lock(mutex_);
  return cached_bytes_;
}

StreamTable::Stream& StreamTable::At(StreamId id) {
  const auto found = streams_.find(id);
  MR_CHECK(found != streams_.end(), "stream {}", id);
  return found->second;
}

StreamTable::Partition& StreamTable::At(StreamId id, PartitionId partition) {
  Stream& stream = At(id);
  MR_CHECK(partition.value() < stream.partitions.size(), "partition {} of stream {}", partition,
           id);
  return stream.partitions[partition.value()];
}

StreamTable::Entry* StreamTable::FindEntry(Partition& partition, Offset begin) {
  const auto entry = std::ranges::lower_bound(partition.entries, begin, {}, &Entry::begin);
  return entry != partition.entries.end() && entry->begin == begin ? &*entry : nullptr;
}

}  // namespace millrace
