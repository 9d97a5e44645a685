#include "millrace/stream/embedded/journal_reader.h"

#include <algorithm>
#include <optional>
#include <set>

#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/frame_codec.h"
#include "millrace/stream/embedded/journal_format.h"

namespace millrace {

namespace {

using journal_format::kAlignment;

/// Reads one directory's journal; the state grows record by record.
class Replay {
 public:
  explicit Replay(const DataDirectory& directory) : directory_(directory) {}

  Result<JournalState> Run();

 private:
  struct LoadedFile {
    uint64_t number = 0;
    std::string path;
    Bytes bytes;
  };

  Result<std::vector<uint64_t>> Numbers();
  Result<LoadedFile> Load(uint64_t number);
  Status ReplayFiles(std::span<const uint64_t> numbers);
  Status ReplayFile(LoadedFile file);
  Status Apply(const LoadedFile& file, uint64_t position, const JournalRecordHeader& header);
  Status ApplyFrames(const LoadedFile& file, std::span<const std::byte> frames);
  void ApplyEntries(const JournalEntries& entries);
  std::optional<JournalRecordHeader> NextRecord(const LoadedFile& file, uint64_t position) const;
  std::optional<uint64_t> FindValidRecord(const LoadedFile& file, uint64_t from) const;
  /// Sorts the files into those with frames and those that can go.
  void CollectFiles(std::span<const uint64_t> numbers);
  Status DropTornTail() const;

  const DataDirectory& directory_;
  JournalState state_;
  /// The last file that holds records, and where they end.
  LoadedFile last_;
  uint64_t end_ = 0;
  /// The last file that a mark says was made.
  uint64_t marked_file_ = 0;
  std::set<uint64_t> copied_;
  /// Files without a valid record. Behind the last file their making was cut short; before the
  /// first one a copied file was used again, and the crash undid its new name.
  std::set<uint64_t> empty_;
};

std::unexpected<Error> Damaged(const std::string& path, uint64_t position, std::string_view what) {
  return std::unexpected(
      Error(ErrorCode::kCorruption, fmt::format("{} at byte {}: {}", path, position, what))
          .WithHint("the journal is damaged below its synced end; restore the directory from a "
                    "backup"));
}

Result<std::vector<uint64_t>> Replay::Numbers() {
  MR_ASSIGN(const auto entries, directory_.files().List(directory_.JournalDirectory()));
  std::vector<uint64_t> numbers;
  for (const DirectoryEntry& entry : entries) {
    if (const auto number = NumberOfFile(entry.name, ".jnl")) {
      numbers.push_back(*number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

Result<Replay::LoadedFile> Replay::Load(uint64_t number) {
  LoadedFile loaded{.number = number, .path = directory_.JournalPath(number), .bytes = {}};
  MR_ASSIGN(auto file, directory_.files().Open(loaded.path, OpenMode::kRead));
  MR_ASSIGN(const uint64_t size, file->Size());
  loaded.bytes.resize(size);
  MR_ASSIGN(const size_t read, file->ReadAt(0, loaded.bytes));
  loaded.bytes.resize(read);
  return loaded;
}

Result<JournalState> Replay::Run() {
  MR_ASSIGN(const auto numbers, Numbers());
  MR_TRY(ReplayFiles(numbers));
  if (last_.number == 0) {
    return Damaged(directory_.JournalDirectory(), 0, "no journal file holds a valid record");
  }
  if (marked_file_ > last_.number) {
    return Damaged(directory_.JournalPath(marked_file_), 0,
                   fmt::format("missing or without a valid record, but {} says that the journal "
                               "goes on there",
                               last_.path));
  }
  MR_TRY(DropTornTail());
  CollectFiles(numbers);
  state_.place.next_file = last_.number + 1;
  state_.place.last_file = last_.number;
  state_.place.last_file_end = end_;
  return std::move(state_);
}

Status Replay::ReplayFiles(std::span<const uint64_t> numbers) {
  for (const uint64_t number : numbers) {
    MR_ASSIGN(auto file, Load(number));
    if (NextRecord(file, 0)) {
      if (last_.number != 0 && number != last_.number + 1) {
        return Damaged(directory_.JournalPath(last_.number + 1), 0,
                       fmt::format("missing, but there is {}", file.path));
      }
      MR_TRY(ReplayFile(std::move(file)));
    } else if (const auto valid = FindValidRecord(file, 0)) {
      return Damaged(last_.number != 0 ? last_.path : file.path, end_,
                     fmt::format("no valid record, but {} has one at byte {}", file.path, *valid));
    } else {
      empty_.insert(number);
    }
  }
  return {};
}

void Replay::CollectFiles(std::span<const uint64_t> numbers) {
  for (const uint64_t number : copied_) {
    state_.frames.erase(number);
  }
  bool oldest = true;
  for (const uint64_t number : numbers) {
    oldest = oldest && (copied_.contains(number) || empty_.contains(number));
    if (oldest) {
      state_.retired.push_back(number);
    } else if (number <= last_.number) {
      state_.frames.try_emplace(number);
    }
  }
}

std::optional<JournalRecordHeader> Replay::NextRecord(const LoadedFile& file,
                                                      uint64_t position) const {
  if (position > file.bytes.size()) {
    return std::nullopt;
  }
  const auto header = ReadJournalRecord(std::span(file.bytes).subspan(position),
                                        directory_.identity(), file.number);
  if (!header || (header->type == JournalRecordType::kFull) != (position == 0)) {
    return std::nullopt;
  }
  const bool follows = header->sequence == state_.place.next_sequence &&
                       header->previous_checksum == state_.place.previous_checksum;
  return last_.number == 0 || follows || MR_PLANTED(AcceptStaleTail) ? header : std::nullopt;
}

Status Replay::ReplayFile(LoadedFile file) {
  uint64_t position = 0;
  while (true) {
    auto header = NextRecord(file, position);
    if (!header) {
      const auto valid = FindValidRecord(file, position);
      if (!valid) {
        break;
      }
      // A record that continues the chain proves that only a mark, which is never synced, is lost.
      header = NextRecord(file, *valid);
      if (!header) {
        return Damaged(file.path, position,
                       fmt::format("no valid record, but there is one at byte {}", *valid));
      }
      position = *valid;
    }
    MR_TRY(Apply(file, position, *header));
    last_.number = file.number;
    if (header->type != JournalRecordType::kMark) {
      state_.place.next_sequence = header->sequence + 1;
      state_.place.previous_checksum = header->checksum;
    }
    position += AlignRecord(header->total_bytes());
  }
  last_ = std::move(file);
  end_ = std::min<uint64_t>(position, last_.bytes.size());
  return {};
}

std::optional<uint64_t> Replay::FindValidRecord(const LoadedFile& file, uint64_t from) const {
  const std::span<const std::byte> bytes(file.bytes);
  for (uint64_t position = AlignRecord(from);
       position + journal_format::kHeaderBytes <= bytes.size(); position += kAlignment) {
    uint32_t magic = 0;
    std::memcpy(&magic, bytes.data() + position, sizeof(magic));
    if (magic == journal_format::kMagic &&
        ReadJournalRecord(bytes.subspan(position), directory_.identity(), file.number)) {
      return position;
    }
  }
  return std::nullopt;
}

Status Replay::Apply(const LoadedFile& file, uint64_t position, const JournalRecordHeader& header) {
  const auto record = std::span(file.bytes).subspan(position, header.total_bytes());
  auto entries = JournalEntries::Decode(EntriesOf(record, header));
  if (!entries) {
    return Damaged(file.path, position, entries.error().message());
  }
  marked_file_ = std::max(marked_file_, entries->next_file);
  if (header.type == JournalRecordType::kFull && last_.number != 0) {
    return {};  // Repeats what the earlier files said.
  }
  ApplyEntries(*entries);
  return ApplyFrames(file, FramesOf(record, header));
}

Status Replay::ApplyFrames(const LoadedFile& file, std::span<const std::byte> frames) {
  while (!frames.empty()) {
    const auto position = static_cast<uint64_t>(frames.data() - file.bytes.data());
    const auto header = CheckFrame(frames, directory_.identity());
    if (!header) {
      return Damaged(file.path, position, header.error().message());
    }
    state_.frames[file.number].push_back(
        {.stream = header->stream,
         .partition = header->partition,
         .begin = header->begin,
         .count = header->count,
         .type = header->type,
         .location = {.kind = FrameLocation::Kind::kJournal,
                      .bytes = static_cast<uint32_t>(header->total_bytes()),
                      .file = file.number,
                      .position = position}});
    JournalState::Bounds& bounds = state_.partitions[{header->stream, header->partition}];
    bounds.end = std::max(bounds.end, header->begin + header->count);
    bounds.max_event_time = std::max(bounds.max_event_time, header->times.max);
    frames = frames.subspan(header->total_bytes());
  }
  return {};
}

void Replay::ApplyEntries(const JournalEntries& entries) {
  for (const auto& partition : entries.partitions) {
    JournalState::Bounds& bounds = state_.partitions[partition.at];
    bounds.begin = std::max(bounds.begin, partition.begin);
    bounds.end = std::max(bounds.end, partition.end);
    bounds.max_event_time = std::max(bounds.max_event_time, partition.max_event_time);
  }
  for (const SegmentRange& range : entries.ranges) {
    uint64_t& bytes = state_.segments[{range.stream, range.segment}];
    bytes = std::max(bytes, range.position + range.length);
  }
  for (const SegmentRemoval& removal : entries.removals) {
    state_.segments.erase({removal.stream, removal.segment});
  }
  for (const TrimUpdate& trim : entries.trims) {
    JournalState::Bounds& bounds = state_.partitions[{trim.stream, trim.partition}];
    bounds.begin = std::max(bounds.begin, trim.begin);
    bounds.end = std::max(bounds.end, trim.begin);
  }
  copied_.insert(entries.copied_journals.begin(), entries.copied_journals.end());
  std::ranges::copy(entries.positions, std::back_inserter(state_.positions));
  std::ranges::copy(entries.source_positions, std::back_inserter(state_.source_positions));
}

Status Replay::DropTornTail() const {
  FileSystem& files = directory_.files();
  MR_ASSIGN(auto file, files.Open(last_.path, OpenMode::kReadWrite));
  // After a sync that failed, memory may hold as clean what the disk has not; only what is written
  // again is synced again (https://lwn.net/Articles/752063/).
  if (!MR_PLANTED(TrustUnsyncedTail)) {
    MR_TRY(file->WriteAt(0, std::span(last_.bytes).first(end_)));
    MR_TRY(FillWithZeros(*file, end_, last_.bytes.size()));
    MR_TRY(file->Sync());
  }
  for (const uint64_t number : empty_) {
    if (number > last_.number) {
      MR_TRY(files.RemoveFile(directory_.JournalPath(number)));
    }
  }
  return files.SyncDirectory(directory_.JournalDirectory());
}

}  // namespace

Result<JournalState> ReadJournal(const DataDirectory& directory) { return Replay(directory).Run(); }

}  // namespace millrace
