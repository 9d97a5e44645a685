#include "millrace/stream/embedded/recovery.h"

#include <algorithm>
#include <set>

#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/catalog.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/frame_format.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

class Restore {
 public:
  Restore(const DataDirectory& directory, const JournalState& state, StreamTable& table,
          SegmentStore& segments, Committer& committer)
      : directory_(directory),
        state_(state),
        table_(table),
        segments_(segments),
        committer_(committer) {}

  Status Run();

 private:
  Status RestoreStream(const StreamInfo& stream);
  Status RestoreSegments(const StreamInfo& stream);
  Status ScanSegment(const StreamInfo& stream, uint64_t number, uint64_t committed);
  Result<std::unique_ptr<File>> OpenSegment(const std::string& path, uint64_t committed);
  Status ReadCatalog();
  Status Redefine(const StreamInfo& before, const StreamInfo& after);
  Status CheckStreamsKnown();
  Status RemoveUnneeded();
  void NoteFrame(const StoredFrameHeader& header, const FrameLocation& location);

  const DataDirectory& directory_;
  const JournalState& state_;
  StreamTable& table_;
  SegmentStore& segments_;
  Committer& committer_;
  /// Grows beyond the journal's word by what the segments hold.
  std::map<StreamTable::Position, JournalState::Bounds> bounds_;
  std::map<StreamId, std::vector<JournalFrame>> journal_frames_;
  std::vector<std::string> uncommitted_;
};

Status Restore::Run() {
  bounds_ = state_.partitions;
  for (const auto& [journal, frames] : state_.frames) {
    committer_.AddJournalFrames(journal, frames);
    for (const JournalFrame& frame : frames) {
      journal_frames_[frame.stream].push_back(frame);
    }
  }
  MR_TRY(RestoreStream(CatalogStreamInfo()));
  MR_TRY(ReadCatalog());
  MR_TRY(CheckStreamsKnown());
  for (const PositionUpdate& position : state_.positions) {
    table_.RestorePosition(position.reader, {position.stream, position.partition}, position.next);
  }
  for (const SourcePositionUpdate& position : state_.source_positions) {
    table_.RestoreSourcePosition(position.source, position.split, position.value);
  }
  MR_TRY(table_.CheckContiguous());
  return RemoveUnneeded();
}

Status Restore::ReadCatalog() {
  const PartitionInfo info = table_.Describe(kCatalogStream, PartitionId(0));
  Offset offset = info.begin;
  while (offset < info.durable_end) {
    constexpr size_t kBytesMax = 1 << 20;
    MR_ASSIGN(const auto frames, table_.Read(kCatalogStream, PartitionId(0), Visibility::kDurable,
                                             kBytesMax, &offset));
    if (frames.empty()) {
      return Err(ErrorCode::kCorruption, fmt::format("catalog$ ends at offset {}", offset));
    }
    for (const StreamFrame& frame : frames) {
      if (frame.payload == nullptr) {
        return Err(ErrorCode::kCorruption, "catalog$ holds rows");
      }
      MR_ASSIGN(auto stream, DecodeStreamInfo(frame.payload->bytes()));
      if (const auto before = table_.Find(stream.id)) {
        MR_TRY(Redefine(*before, stream));
        continue;
      }
      if (table_.Find(stream.definition.name)) {
        return Err(ErrorCode::kCorruption,
                   fmt::format("catalog$ defines stream {} twice", stream.definition.name));
      }
      MR_TRY(RestoreStream(stream));
    }
  }
  return {};
}

Status Restore::Redefine(const StreamInfo& before, const StreamInfo& after) {
  const auto of_name = table_.Find(after.definition.name);
  if (before.definition.partitions != after.definition.partitions ||
      (of_name && of_name->id != after.id && !IsDropped(after.definition))) {
    return Err(ErrorCode::kCorruption, fmt::format("catalog$ defines stream {} twice", after.id));
  }
  table_.Redefine(after);
  return {};
}

Status Restore::CheckStreamsKnown() {
  std::set<StreamId> mentioned;
  for (const auto& [at, bounds] : bounds_) {
    mentioned.insert(at.first);
  }
  for (const auto& [segment, bytes] : state_.segments) {
    mentioned.insert(segment.first);
  }
  for (const StreamId stream : mentioned) {
    if (!table_.Find(stream)) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("the journal mentions stream {}, which catalog$ does not", stream));
    }
  }
  return {};
}

Status Restore::RestoreStream(const StreamInfo& stream) {
  table_.AddStream(stream);
  MR_TRY(RestoreSegments(stream));
  for (const JournalFrame& frame : journal_frames_[stream.id]) {
    if (frame.partition.value() < stream.definition.partitions) {
      table_.RestoreFrame(stream.id, {frame.partition, frame.begin, frame.count}, frame.type,
                          frame.location);
    }
  }
  for (const auto& [at, bounds] : bounds_) {
    if (at.first != stream.id) {
      continue;
    }
    if (at.second.value() >= stream.definition.partitions) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("stream {} has no partition {}", stream.definition.name, at.second));
    }
    table_.RestoreBounds(stream.id, at.second, bounds.begin, bounds.end, bounds.max_event_time);
  }
  return {};
}

Status Restore::RestoreSegments(const StreamInfo& stream) {
  FileSystem& files = directory_.files();
  const std::string path = directory_.StreamDirectory(stream);
  auto listed = files.List(path);
  if (!listed && listed.error().code() != ErrorCode::kFileNotFound) {
    return Err(listed.error());
  }
  if (listed) {
    for (const DirectoryEntry& entry : *listed) {
      const auto number = NumberOfFile(entry.name, ".seg");
      if (number && !state_.segments.contains({stream.id, *number})) {
        uncommitted_.push_back(JoinPath(path, entry.name));
      }
    }
  }
  const auto first = state_.segments.lower_bound({stream.id, 0});
  for (auto it = first; it != state_.segments.end() && it->first.first == stream.id; ++it) {
    const auto& [segment, committed] = *it;
    segments_.Restore(stream.id, segment.second);
    committer_.RestoreSegment({stream.id, segment.second, 0, committed});
    MR_TRY(ScanSegment(stream, segment.second, committed));
  }
  return {};
}

Result<std::unique_ptr<File>> Restore::OpenSegment(const std::string& path, uint64_t committed) {
  auto file = directory_.files().Open(path, OpenMode::kReadWrite);
  if (!file && file.error().code() == ErrorCode::kFileNotFound) {
    return Err(ErrorCode::kCorruption, fmt::format("{} at byte 0: the segment is missing", path));
  }
  if (file) {
    MR_ASSIGN(const uint64_t size, (*file)->Size());
    if (size < committed) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("{} at byte {}: the segment ends, but {} bytes are committed", path,
                             size, committed));
    }
    // Also when the size is right: space that was reserved behind it is given back.
    MR_TRY((*file)->Truncate(committed));
  }
  return file;
}

Status Restore::ScanSegment(const StreamInfo& stream, uint64_t number, uint64_t committed) {
  const std::string path = directory_.SegmentPath(stream, number);
  MR_ASSIGN(const auto file, OpenSegment(path, committed));
  for (uint64_t position = 0; position < committed;) {
    MR_ASSIGN(const auto bytes, ReadExactly(*file, path, position, frame_format::kHeaderBytes));
    const auto header = ParseFrameHeader(bytes->bytes(), directory_.identity());
    if (!header) {
      return Err(header.error().WithContext(fmt::format("{} at byte {}", path, position)));
    }
    if (header->stream != stream.id || position + header->total_bytes() > committed ||
        header->partition.value() >= stream.definition.partitions) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("{} at byte {}: a frame that does not belong there", path, position));
    }
    NoteFrame(*header, {.kind = FrameLocation::Kind::kSegment,
                        .bytes = static_cast<uint32_t>(header->total_bytes()),
                        .file = number,
                        .position = position});
    position += header->total_bytes();
  }
  return {};
}

Status Restore::RemoveUnneeded() {
  for (const std::string& path : uncommitted_) {
    MR_TRY(directory_.files().RemoveFile(path));
  }
  for (const StreamInfo& stream : table_.Streams()) {
    const auto segment = state_.segments.lower_bound({stream.id, 0});
    const bool has_segments = segment != state_.segments.end() && segment->first.first == stream.id;
    if (IsDropped(stream.definition) && !has_segments) {
      // Mostly it is gone already.
      (void)directory_.files().RemoveDirectory(directory_.StreamDirectory(stream));
    }
  }
  for (const uint64_t number : state_.retired) {
    if (!MR_PLANTED(KeepCopiedJournal)) {
      MR_TRY(RetireJournal(directory_, number));
    }
  }
  return {};
}

void Restore::NoteFrame(const StoredFrameHeader& header, const FrameLocation& location) {
  table_.RestoreFrame(header.stream, {header.partition, header.begin, header.count}, header.type,
                      location);
  JournalState::Bounds& bounds = bounds_[{header.stream, header.partition}];
  bounds.end = std::max(bounds.end, header.begin + header.count);
  bounds.max_event_time = std::max(bounds.max_event_time, header.times.max);
}

}  // namespace

Status RestoreStreams(const DataDirectory& directory, const JournalState& state, StreamTable& table,
                      SegmentStore& segments, Committer& committer) {
  return Restore(directory, state, table, segments, committer).Run();
}

}  // namespace millrace
