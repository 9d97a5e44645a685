// How a StreamTable is read: from its cache, or by its loader.

#include <algorithm>

#include <fmt/format.h>

#include "millrace/stream/stream_table.h"

namespace millrace {

namespace {

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

Result<std::vector<StreamFrame>> StreamTable::Read(StreamId stream, PartitionId partition,
                                                   Visibility visibility, size_t bytes_max,
                                                   Offset* offset) {
  while (true) {
    std::vector<Wanted> wanted;
    {
      MutexLock lock(mutex_);
      MR_ASSIGN(wanted, Select(stream, partition, visibility, bytes_max, *offset));
    }
    MR_ASSIGN(auto frames, LoadAll(stream, wanted));
    if (!frames.empty()) {
      *offset = frames.back().end();
    }
    if (!frames.empty() || wanted.empty()) {
      return frames;
    }
  }
}

Result<std::vector<StreamFrame>> StreamTable::LoadAll(StreamId stream,
                                                      std::span<const Wanted> wanted) {
  std::optional<StreamInfo> info;
  std::vector<StreamFrame> frames;
  frames.reserve(wanted.size());
  for (const Wanted& item : wanted) {
    if (item.cached != nullptr) {
      frames.push_back(*item.cached);
      metrics_.hits.Add();
      continue;
    }
    if (!info) {
      info = Find(stream);
    }
    auto frame = loader_->Load(*info, item.key, item.location);
    metrics_.misses.Add();
    if (frame) {
      frames.push_back(*std::move(frame));
      continue;
    }
    // The copier may have moved it, and its journal file may serve again already.
    if (frames.empty() && IsWhereItWas(stream, item)) {
      return Err(frame.error());
    }
    break;
  }
  return frames;
}

bool StreamTable::IsWhereItWas(StreamId stream, const Wanted& wanted) {
  MutexLock lock(mutex_);
  const Entry* entry = FindEntry(At(stream, wanted.key.partition), wanted.key.begin);
  return entry != nullptr && entry->count == wanted.key.count && entry->location == wanted.location;
}

Result<std::vector<StreamTable::Wanted>> StreamTable::Select(StreamId stream, PartitionId partition,
                                                             Visibility visibility,
                                                             size_t bytes_max, Offset offset) {
  Partition& state = At(stream, partition);
  if (offset < state.begin || offset > state.appended_end) {
    return Err(
        ErrorCode::kOffsetOutOfRange,
        fmt::format("offset {} of stream {} partition {} is outside [{}, {}]", offset,
                    At(stream).info.definition.name, partition, state.begin, state.appended_end));
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
                      .key = {partition, entry->begin, entry->count}});
  }
  return wanted;
}

std::unique_ptr<Cursor> StreamTable::OpenCursor(StreamId stream, PartitionId partition, Offset from,
                                                Visibility visibility) {
  return std::make_unique<TableCursor>(*this, stream, partition, from, visibility);
}

}  // namespace millrace
