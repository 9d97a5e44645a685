#include "millrace/connect/file/split_set.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "millrace/base/bytes.h"
#include "millrace/base/glob.h"

namespace millrace {

namespace {

/// How many files that are gone are remembered, in case a compressed copy turns up.
constexpr size_t kMissingMax = 1000;

/// Reads up to `size` bytes from `offset` on.
Result<std::string> ReadPiece(InputFile& file, uint64_t offset, size_t size) {
  MR_TRY(file.Seek(offset));
  std::string piece(size, '\0');
  MR_ASSIGN(const size_t read, file.Read(std::as_writable_bytes(std::span(piece))));
  piece.resize(read);
  return piece;
}

/// Reads the first record of a file.
Result<std::string> ReadFirstRecord(InputFile& file, RecordCutter cutter) {
  constexpr size_t kChunkBytes = size_t{64} << 10;
  MR_TRY(file.Seek(0));
  cutter.BeginRecord();
  std::string record;
  while (true) {
    MR_ASSIGN(std::string chunk, ReadPiece(file, record.size(), kChunkBytes));
    const size_t end = cutter.FindEnd(chunk, record.empty());
    record += std::string_view(chunk).substr(0, end);
    if (end != std::string_view::npos || chunk.empty()) {
      return record;
    }
  }
}

bool IsSameFile(const SplitPosition& position, const FileInfo& info) {
  return position.inode == info.inode && position.device == info.device;
}

}  // namespace

std::string FileSplit::NameOf(uint64_t number) { return fmt::format("{:08}", number); }

void FileSplit::Close() {
  ahead.clear();
  reader.reset();
}

void FileSplit::Advance(uint64_t end, std::string_view lines) {
  const bool grows = head.size() == position.head.bytes && head.size() == position.offset;
  if (grows && head.size() < ContentMark::kBytesMax) {
    head += lines.substr(0, ContentMark::kBytesMax - head.size());
    position.head = ContentMark::Of(head);
  }
  position.tail =
      ContentMark::Of(lines.substr(lines.size() - std::min(lines.size(), ContentMark::kBytesMax)));
  position.offset = end;
}

SplitSet::SplitSet(FileSystem& files, std::string pattern, FileMode mode, uint32_t partitions,
                   const RecordCutter& cutter, bool has_header)
    : files_(files),
      pattern_(std::move(pattern)),
      mode_(mode),
      partitions_(partitions),
      cutter_(cutter),
      has_header_(has_header) {}

Status SplitSet::Restore(const Transport::SourcePositions& positions) {
  splits_.clear();
  held_.clear();
  next_number_ = 0;
  for (const auto& [name, stored] : positions) {
    auto split = std::make_unique<FileSplit>();
    const auto [end, failure] =
        std::from_chars(name.data(), name.data() + name.size(), split->number);
    if (failure != std::errc() || end != name.data() + name.size()) {
      return Err(ErrorCode::kCorruption, fmt::format("file position named '{}'", name));
    }
    MR_ASSIGN(split->position, SplitPosition::Decode(stored));
    split->position.partition %= partitions_;
    split->verify = true;
    split->present = mode_ == FileMode::kBounded;
    next_number_ = std::max(next_number_, split->number + 1);
    splits_.push_back(std::move(split));
  }
  return {};
}

Result<bool> SplitSet::Discover(std::chrono::nanoseconds now) {
  now_ = now;
  auto paths = ListMatching(files_, pattern_, kSplitsMax);
  if (!paths) {
    if (paths.error().code() == ErrorCode::kRecordTooLarge) {
      return Err(ErrorCode::kConfigInvalidValue,
                 fmt::format("{} matches {}", pattern_, paths.error().message()));
    }
    return Err(paths.error());
  }
  return mode_ == FileMode::kBounded ? DiscoverBounded(*paths) : DiscoverFollowed(*paths);
}

void SplitSet::Add(const Seen& seen) {
  auto split = std::make_unique<FileSplit>();
  split->number = next_number_++;
  split->position.path = seen.path;
  split->position.partition = static_cast<uint32_t>(split->number % partitions_);
  split->position.device = seen.info.device;
  split->position.inode = seen.info.inode;
  split->present = true;
  split->changed_at = now_;
  split->waits_since = now_;
  split->size = seen.info.size;
  split->modified_micros = seen.info.modified_micros;
  splits_.push_back(std::move(split));
}

bool SplitSet::DiscoverBounded(const std::vector<std::string>& paths) {
  bool any = false;
  for (const std::string& path : paths) {
    const auto known = std::ranges::find_if(
        splits_, [&](const auto& split) { return split->position.path == path; });
    const auto info = files_.Info(path);
    if (known != splits_.end()) {
      (*known)->size = info ? info->size : (*known)->size;
      continue;
    }
    // What cannot be looked at fails when it is opened, and is told then.
    Add({.path = path, .info = info ? *info : FileInfo{}});
    any = true;
  }
  return any;
}

FileSplit* SplitSet::FindByInode(const FileInfo& info) {
  for (const auto& split : splits_) {
    if (!split->detached && IsSameFile(split->position, info)) {
      return split.get();
    }
  }
  return nullptr;
}

bool SplitSet::DiscoverFollowed(const std::vector<std::string>& paths) {
  for (const auto& split : splits_) {
    split->present = false;
  }
  std::vector<Seen> unknown;
  for (const std::string& path : paths) {
    const auto info = files_.Info(path);
    if (!info || !info->is_regular) {
      continue;
    }
    const Seen seen{.path = path, .info = *info};
    FileSplit* const split = FindByInode(*info);
    if (split != nullptr && !split->present) {
      NoteSeen(*split, seen);
    }
    if (split == nullptr || split->detached) {
      unknown.push_back(seen);
    }
  }
  bool any = false;
  for (const Seen& seen : unknown) {
    any = TakeUnknown(seen) || any;
  }
  for (const auto& split : splits_) {
    if (!split->present) {
      NoteMissing(*split);
    }
  }
  std::erase_if(held_, [&](const auto& held) {
    return std::ranges::none_of(unknown, [&](const Seen& seen) {
      return held.first == std::pair(seen.info.device, seen.info.inode);
    });
  });
  Forget();
  return any;
}

void SplitSet::NoteSeen(FileSplit& split, const Seen& seen) {
  const bool is_gzip = split.reader ? split.reader->file().is_gzip() : seen.path.ends_with(".gz");
  const bool first = split.size == 0 && split.modified_micros == 0;
  const bool changed =
      split.size != seen.info.size || split.modified_micros != seen.info.modified_micros;
  if (split.position.finished) {
    // Whole gzip files do not change: another file has got the inode of one that was removed.
    auto file = changed ? InputFile::Open(files_, seen.path) : Err(ErrorCode::kFileNotFound, "");
    const auto head =
        file ? ReadPiece(*file, 0, split.position.head.bytes) : Result<std::string>("");
    if (changed && head && ContentMark::Of(*head) != split.position.head) {
      return Detach(split, std::nullopt);
    }
  } else if (!is_gzip && seen.info.size < split.position.offset) {
    return Detach(split,
                  Error(ErrorCode::kSourceChanged,
                        fmt::format("{} was truncated from {} bytes to {}", seen.path,
                                    std::max(split.size, split.position.offset), seen.info.size)));
  }
  if (first && !is_gzip) {
    split.idle = seen.info.size == split.position.offset;
  }
  if (changed) {
    split.verify = split.position.offset > 0;
    split.at_end = false;
    split.changed_at = now_;
  }
  split.present = true;
  split.position.path = seen.path;
  split.size = seen.info.size;
  split.modified_micros = seen.info.modified_micros;
}

void SplitSet::NoteMissing(FileSplit& split) {
  if (split.reader && split.at_end) {
    // It may have grown before its name went.
    const auto info = split.reader->file().Info();
    if (info && info->size > split.size) {
      split.size = info->size;
      split.at_end = false;
    } else {
      split.Close();
    }
  }
  split.idle = split.idle || !split.reader;
}

void SplitSet::Detach(FileSplit& split, std::optional<Error> error) {
  split.error = std::move(error);
  split.detached = true;
  split.idle = true;
  split.Close();
}

/// Takes a file with an unknown inode for a split that has lost its own, or for a new one.
bool SplitSet::TakeUnknown(const Seen& seen) {
  auto file = InputFile::Open(files_, seen.path);
  auto head = file ? ReadPiece(*file, 0, ContentMark::kBytesMax) : Result<std::string>("");
  FileSplit* same = nullptr;
  // What is empty, or compressed and not whole, may become a copy of anything.
  bool undecided = file && (file->ended_early() || (head && head->empty()));
  for (const auto& split : splits_) {
    if (!file || !head || head->empty() || split->position.head.bytes == 0) {
      continue;
    }
    const Likeness likeness = Compare(*file, *head, split->position);
    undecided = undecided || likeness == Likeness::kUndecided;
    if (likeness == Likeness::kSame && (same == nullptr || same->present)) {
      same = split.get();
    }
  }
  if (same != nullptr && !same->present) {
    same->position.device = seen.info.device;
    same->position.inode = seen.info.inode;
    same->detached = false;
    same->error.reset();
    same->Close();
    same->at_end = false;
    NoteSeen(*same, seen);
    return false;
  }
  if ((same != nullptr || undecided) && IsHeld(seen)) {
    return false;
  }
  Add(seen);
  return true;
}

bool SplitSet::IsHeld(const Seen& seen) {
  const auto [at, added] = held_.try_emplace({seen.info.device, seen.info.inode},
                                             Held{.info = seen.info, .since = now_});
  Held& held = at->second;
  if (held.info.size != seen.info.size || held.info.modified_micros != seen.info.modified_micros) {
    held = {.info = seen.info, .since = now_};
  }
  return now_ - held.since < kCopyGrace;
}

SplitSet::Likeness SplitSet::Compare(InputFile& file, std::string_view head,
                                     const SplitPosition& position) {
  if (ContentMark::Of(head.substr(0, position.head.bytes)) != position.head) {
    return Likeness::kOther;
  }
  const auto tail = ReadPiece(file, position.offset - position.tail.bytes, position.tail.bytes);
  if (!tail) {
    return file.ended_early() ? Likeness::kUndecided : Likeness::kOther;
  }
  if (tail->size() < position.tail.bytes) {
    return Likeness::kUndecided;  // Still being copied, perhaps.
  }
  return ContentMark::Of(*tail) == position.tail ? Likeness::kSame : Likeness::kOther;
}

Status SplitSet::Open(FileSplit& split, size_t block_bytes, size_t record_bytes_max) {
  MR_ASSIGN(auto file, InputFile::Open(files_, split.position.path));
  MR_ASSIGN(const FileInfo info, file.Info());
  if (mode_ == FileMode::kFollow && !IsSameFile(split.position, info)) {
    return Err(ErrorCode::kSourceUnavailable,
               fmt::format("{} is another file now", split.position.path));
  }
  split.position.device = info.device;
  split.position.inode = info.inode;
  split.size = info.size;
  if (has_header_ && split.position.offset > 0 && split.header.empty()) {
    MR_ASSIGN(split.header, ReadFirstRecord(file, cutter_));
  }
  MR_ASSIGN(auto reader, BlockReader::Create(std::move(file), cutter_, split.position.offset,
                                             block_bytes, record_bytes_max));
  split.reader = std::move(reader);
  return split.verify ? Verify(split) : Status();
}

Status SplitSet::Verify(FileSplit& split) {
  InputFile& file = split.reader->file();
  const SplitPosition& position = split.position;
  MR_ASSIGN(std::string head, ReadPiece(file, 0, position.head.bytes));
  MR_ASSIGN(const std::string tail,
            ReadPiece(file, position.offset - position.tail.bytes, position.tail.bytes));
  if (ContentMark::Of(head) != position.head || ContentMark::Of(tail) != position.tail) {
    return Err(ErrorCode::kSourceChanged,
               fmt::format("{} has other content than was read of it", position.path));
  }
  split.head = std::move(head);
  split.verify = false;
  return split.reader->Rewind();
}

void SplitSet::Forget() {
  const auto missing = [](const auto& split) { return !split->present && !split->reader; };
  auto count = static_cast<size_t>(std::ranges::count_if(splits_, missing));
  std::erase_if(splits_, [&](const auto& split) {
    if (count <= kMissingMax || !missing(split)) {
      return false;
    }
    --count;
    forgotten_.push_back(split->number);
    return true;
  });
}

}  // namespace millrace
