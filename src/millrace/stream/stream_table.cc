#include "millrace/stream/stream_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace {

namespace {

size_t MemoryOf(const StreamFrame& frame) {
  return frame.batch != nullptr ? frame.batch->MemoryBytes() : frame.payload->size();
}

class TableCursor final : public Cursor {
 public:
  TableCursor(StreamTable& table, StreamId stream, PartitionId partition, Offset from,
              Visibility visibility)
      : table_(table),
        stream_(stream),
        partition_(partition),
        visibility_(visibility),
        position_(from) {}

  Result<std::vector<StreamFrame>> Poll(size_t bytes_max) override {
    return table_.Read(stream_, partition_, visibility_, bytes_max, &position_);
  }
  void Seek(Offset offset) override { position_ = offset; }
  Offset position() const override { return position_; }

 private:
  StreamTable& table_;
  const StreamId stream_;
  const PartitionId partition_;
  const Visibility visibility_;
  Offset position_;
};

}  // namespace

void StreamTable::AddStream(StreamInfo info) {
  MutexLock lock(mutex_);
  const StreamId id = info.id;
  by_name_[info.definition.name] = id;
  auto [place, added] = streams_.try_emplace(id);
  MR_CHECK(added, "stream {}", id);
  place->second.partitions.resize(info.definition.partitions);
  place->second.info = std::move(info);
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
          .max_event_time = state.max_event_time};
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
    cached_bytes_ += bytes;
    partition.entries.push_back({.begin = frame.begin,
                                 .count = frame.count,
                                 .location = {},
                                 .cached = std::make_shared<const StreamFrame>(frame),
                                 .cached_bytes = bytes});
  }
}

void StreamTable::Publish(const EpochContent& content, std::span<const FrameLocation> locations) {
  {
    MutexLock lock(mutex_);
    PublishLocked(content, locations);
    EvictCached();
  }
  Notify(content, Visibility::kDurable);
}

void StreamTable::PublishLocked(const EpochContent& content,
                                std::span<const FrameLocation> locations) {
  for (size_t i = 0; i < content.frames.size(); ++i) {
    const AppendedFrame& appended = content.frames[i];
    Partition& partition = At(appended.stream, appended.partition);
    MR_CHECK(partition.durable_end == appended.frame.begin, "publish out of order");
    partition.durable_end = appended.frame.end();
    partition.durable_max_event_time =
        std::max(partition.durable_max_event_time, appended.frame.times.max);
    if (!locations.empty()) {
      if (Entry* entry = FindEntry(partition, appended.frame.begin); entry != nullptr) {
        entry->location = locations[i];
        evictable_.push_back({{appended.stream, appended.partition}, entry->begin});
      }
    }
  }
  for (const PositionUpdate& update : content.positions) {
    positions_[update.reader][{update.stream, update.partition}] = update.next;
  }
  for (const SourcePositionUpdate& update : content.source_positions) {
    auto& splits = source_positions_[update.source];
    if (update.value.empty()) {
      splits.erase(update.split);
    } else {
      splits[update.split] = update.value;
    }
  }
  for (const TrimUpdate& trim : content.trims) {
    Partition& partition = At(trim.stream, trim.partition);
    partition.begin = std::clamp(trim.begin, partition.begin, partition.durable_end);
    while (!partition.entries.empty() &&
           partition.entries.front().begin + partition.entries.front().count <= partition.begin) {
      cached_bytes_ -= partition.entries.front().cached_bytes;
      partition.entries.pop_front();
    }
  }
}

void StreamTable::EvictCached() {
  while (cached_bytes_ > cache_bytes_max_ && !evictable_.empty()) {
    const auto [at, begin] = evictable_.front();
    evictable_.pop_front();
    if (Entry* entry = FindEntry(At(at.first, at.second), begin); entry != nullptr) {
      cached_bytes_ -= std::exchange(entry->cached_bytes, 0);
      entry->cached.reset();
    }
  }
}

void StreamTable::RestoreFrame(StreamId stream, PartitionId partition, Offset begin,
                               uint32_t count, const FrameLocation& location) {
  MutexLock lock(mutex_);
  std::deque<Entry>& entries = At(stream, partition).entries;
  const auto place = std::ranges::lower_bound(entries, begin, {}, &Entry::begin);
  if (place != entries.end() && place->begin == begin) {
    place->location = location;
  } else {
    entries.insert(place, {.begin = begin, .count = count, .location = location, .cached = {}});
  }
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
}

void StreamTable::RestorePosition(std::string reader, Position at, Offset next) {
  MutexLock lock(mutex_);
  positions_[std::move(reader)][at] = next;
}

void StreamTable::RestoreSourcePosition(std::string source, std::string split, std::string value) {
  MutexLock lock(mutex_);
  source_positions_[std::move(source)][std::move(split)] = std::move(value);
}

void StreamTable::Relocate(StreamId stream, PartitionId partition, Offset begin,
                           const FrameLocation& location) {
  MutexLock lock(mutex_);
  if (Entry* entry = FindEntry(At(stream, partition), begin); entry != nullptr) {
    entry->location = location;
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
  const auto found = positions_.find(reader);
  return found == positions_.end() ? Transport::Positions{} : found->second;
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

void StreamTable::Notify(const EpochContent& content, Visibility visibility) {
  MutexLock lock(subscriptions_mutex_);
  for (const Subscription& subscription : subscriptions_) {
    if (subscription.visibility == visibility &&
        std::ranges::any_of(content.frames, [&](const AppendedFrame& frame) {
          return frame.stream == subscription.stream;
        })) {
      subscription.notify();
    }
  }
}

Result<std::vector<StreamFrame>> StreamTable::Read(StreamId stream, PartitionId partition,
                                                   Visibility visibility, size_t bytes_max,
                                                   Offset* offset) {
  std::vector<Wanted> wanted;
  std::optional<StreamInfo> info;
  {
    MutexLock lock(mutex_);
    MR_ASSIGN(wanted, Select(stream, partition, visibility, bytes_max, *offset));
    if (std::ranges::any_of(wanted, [](const Wanted& w) { return w.cached == nullptr; })) {
      info = At(stream).info;
    }
  }
  std::vector<StreamFrame> frames;
  frames.reserve(wanted.size());
  for (const Wanted& item : wanted) {
    if (item.cached != nullptr) {
      frames.push_back(*item.cached);
    } else {
      MR_ASSIGN(auto frame, loader_->Load(*info, item.location));
      frames.push_back(std::move(frame));
    }
    *offset = item.end;
  }
  return frames;
}

Result<std::vector<StreamTable::Wanted>> StreamTable::Select(StreamId stream,
                                                             PartitionId partition,
                                                             Visibility visibility,
                                                             size_t bytes_max, Offset offset) {
  Partition& state = At(stream, partition);
  if (offset < state.begin || offset > state.appended_end) {
    return Err(ErrorCode::kOffsetOutOfRange,
               fmt::format("offset {} of stream {} partition {} is outside [{}, {}]", offset,
                           At(stream).info.definition.name, partition, state.begin,
                           state.appended_end));
  }
  const Offset end = visibility == Visibility::kDurable ? state.durable_end : state.appended_end;
  auto entry = std::ranges::upper_bound(state.entries, offset, {}, &Entry::begin);
  if (entry != state.entries.begin()) {
    --entry;
  }
  std::vector<Wanted> wanted;
  size_t bytes = 0;
  for (; entry != state.entries.end() && entry->begin < end; ++entry) {
    if (entry->begin + entry->count <= offset) {
      continue;
    }
    const size_t size = entry->cached != nullptr ? entry->cached_bytes : entry->location.bytes;
    if (!wanted.empty() && bytes + size > bytes_max) {
      break;
    }
    bytes += size;
    wanted.push_back({.cached = entry->cached,
                      .location = entry->location,
                      .end = entry->begin + entry->count});
  }
  return wanted;
}

std::unique_ptr<Cursor> StreamTable::OpenCursor(StreamId stream, PartitionId partition,
                                                Offset from, Visibility visibility) {
  return std::make_unique<TableCursor>(*this, stream, partition, from, visibility);
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
