#include "millrace/stream/embedded/segment_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "millrace/base/planted_bug.h"

namespace millrace {

namespace {

constexpr size_t kOpenFilesMax = 128;
constexpr uint64_t kReserveStepMin = uint64_t{64} << 10;
constexpr uint64_t kReserveStepMax = uint64_t{16} << 20;

}  // namespace

void SegmentStore::Restore(StreamId stream, uint64_t number) {
  MutexLock lock(mutex_);
  Numbers& numbers = numbers_[stream];
  numbers.last = std::max(numbers.last, number);
  numbers.writing[number] = false;
}

void SegmentStore::Close(StreamId stream, uint64_t number) {
  MutexLock lock(mutex_);
  numbers_[stream].writing[number] = false;
}

std::vector<uint64_t> SegmentStore::Closed(StreamId stream) {
  MutexLock lock(mutex_);
  std::vector<uint64_t> closed;
  for (const auto& [number, writing] : numbers_[stream].writing) {
    if (!writing) {
      closed.push_back(number);
    }
  }
  return closed;
}

Result<std::pair<uint64_t, std::unique_ptr<File>>> SegmentStore::Create(const StreamInfo& stream) {
  uint64_t number = 0;
  {
    MutexLock lock(mutex_);
    Numbers& numbers = numbers_[stream.id];
    number = ++numbers.last;
    numbers.writing[number] = true;
  }
  auto file = MakeFile(stream, number);
  if (!file) {
    MutexLock lock(mutex_);
    numbers_[stream.id].writing.erase(number);
    return Err(file.error());
  }
  return std::pair(number, *std::move(file));
}

Result<std::unique_ptr<File>> SegmentStore::MakeFile(const StreamInfo& stream, uint64_t number) {
  FileSystem& files = directory_.files();
  MR_TRY(files.CreateDirectories(directory_.StreamDirectory(stream)));
  MR_ASSIGN(auto file, files.Open(directory_.SegmentPath(stream, number), OpenMode::kCreate));
  if (!MR_PLANTED(SkipSegmentDirectorySync)) {
    MR_TRY(files.SyncDirectory(directory_.StreamDirectory(stream)));
  }
  return file;
}

Result<BufferPtr> SegmentStore::Read(const StreamInfo& stream, uint64_t number, uint64_t position,
                                     uint32_t bytes) {
  MR_ASSIGN(const auto file, OpenForRead(stream, number));
  return ReadExactly(*file, directory_.SegmentPath(stream, number), position, bytes);
}

Result<std::shared_ptr<File>> SegmentStore::OpenForRead(const StreamInfo& stream, uint64_t number) {
  const Key key(stream.id, number);
  MutexLock lock(mutex_);
  const auto found = std::ranges::find(open_, key, &std::pair<Key, std::shared_ptr<File>>::first);
  if (found != open_.end()) {
    open_.splice(open_.begin(), open_, found);
    return open_.front().second;
  }
  MR_ASSIGN(auto file,
            directory_.files().Open(directory_.SegmentPath(stream, number), OpenMode::kRead));
  open_.emplace_front(key, std::move(file));
  if (open_.size() > kOpenFilesMax) {
    open_.pop_back();
  }
  return open_.front().second;
}

Status SegmentStore::Remove(const StreamInfo& stream, uint64_t number) {
  {
    MutexLock lock(mutex_);
    const Key key(stream.id, number);
    open_.remove_if([&](const auto& item) { return item.first == key; });
    numbers_[stream.id].writing.erase(number);
  }
  auto removed = directory_.files().RemoveFile(directory_.SegmentPath(stream, number));
  if (!removed && removed.error().code() == ErrorCode::kFileNotFound) {
    return {};
  }
  return removed;
}

Result<SegmentRange> SegmentWriter::Write(std::span<const std::span<const std::byte>> pieces) {
  uint64_t length = 0;
  for (const auto piece : pieces) {
    length += piece.size();
  }
  MR_TRY(Begin(length));
  MR_TRY(Append(pieces));
  return Finish();
}

Status SegmentWriter::Begin(uint64_t length) {
  if (file_ == nullptr || (position_ > 0 && position_ + length > segment_bytes_)) {
    MR_TRY(Rotate());
  }
  written_ = 0;
  return Reserve(position_ + length);
}

Status SegmentWriter::Append(std::span<const std::span<const std::byte>> pieces) {
  MR_TRY(file_->WriteAt(position_ + written_, pieces));
  for (const auto piece : pieces) {
    written_ += piece.size();
  }
  return {};
}

Result<SegmentRange> SegmentWriter::Finish() {
  if (!MR_PLANTED(SkipSegmentSync)) {
    MR_TRY(file_->Sync());
  }
  return SegmentRange{
      .stream = stream_.id, .segment = number_, .position = position_, .length = written_};
}

Status SegmentWriter::Rotate() {
  MR_ASSIGN(auto created, store_.Create(stream_));
  auto full = std::exchange(file_, std::move(created.second));
  const uint64_t full_number = std::exchange(number_, created.first);
  const uint64_t full_bytes = std::exchange(position_, 0);
  const uint64_t reserved = std::exchange(reserved_, 0);
  if (full != nullptr) {
    store_.Close(stream_.id, full_number);
    if (reserved > full_bytes) {
      MR_TRY(full->Truncate(full_bytes));
    }
  }
  return {};
}

void SegmentWriter::Advance(const SegmentRange& range) {
  MR_CHECK(range.segment == number_ && range.position == position_, "advance out of order");
  position_ += range.length;
}

Status SegmentWriter::Reserve(uint64_t bytes) {
  if (bytes <= reserved_) {
    return {};
  }
  const uint64_t step = std::clamp(reserved_, kReserveStepMin, kReserveStepMax);
  const uint64_t goal = (bytes + step - 1) / step * step;
  MR_TRY(file_->Reserve(reserved_, goal - reserved_));
  reserved_ = goal;
  return {};
}

Result<BufferPtr> ReadExactly(File& file, const std::string& path, uint64_t position,
                              uint32_t bytes) {
  Bytes content(bytes);
  MR_ASSIGN(const size_t read, file.ReadAt(position, content));
  if (read != bytes) {
    return Err(ErrorCode::kCorruption, fmt::format("{} ends at byte {}, wanted {} bytes at {}",
                                                   path, position + read, bytes, position));
  }
  return Buffer::Own(std::move(content));
}

}  // namespace millrace
