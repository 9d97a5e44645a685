#include "millrace/stream/embedded/segment_store.h"

#include <algorithm>

#include <fmt/format.h>

namespace millrace {

namespace {

constexpr size_t kOpenFilesMax = 128;
constexpr uint64_t kReserveStepBytes = uint64_t{16} << 20;

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
  FileSystem& files = directory_.files();
  MR_TRY(files.CreateDirectories(directory_.StreamDirectory(stream)));
  MR_ASSIGN(auto file, files.Open(directory_.SegmentPath(stream, number), OpenMode::kCreate));
  MR_TRY(files.SyncDirectory(directory_.StreamDirectory(stream)));
  return std::pair(number, std::move(file));
}

Result<BufferPtr> SegmentStore::Read(const StreamInfo& stream, uint64_t number, uint64_t position,
                                     uint32_t bytes) {
  MR_ASSIGN(const auto file, OpenForRead(stream, number));
  return ReadExactly(*file, directory_.SegmentPath(stream, number), position, bytes);
}

Result<std::shared_ptr<File>> SegmentStore::OpenForRead(const StreamInfo& stream,
                                                        uint64_t number) {
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
  if (file_ == nullptr || (position_ > 0 && position_ + length > segment_bytes_)) {
    MR_ASSIGN(auto created, store_.Create(stream_));
    if (file_ != nullptr) {
      store_.Close(stream_.id, number_);
    }
    number_ = created.first;
    file_ = std::move(created.second);
    position_ = 0;
    reserved_ = 0;
  }
  MR_TRY(Reserve(position_ + length));
  MR_TRY(file_->WriteAt(position_, pieces));
  MR_TRY(file_->Sync());
  return SegmentRange{
      .stream = stream_.id, .segment = number_, .position = position_, .length = length};
}

void SegmentWriter::Advance(const SegmentRange& range) {
  MR_CHECK(range.segment == number_ && range.position == position_, "advance out of order");
  position_ += range.length;
}

Status SegmentWriter::Reserve(uint64_t bytes) {
  if (bytes <= reserved_) {
    return {};
  }
  const uint64_t goal = (bytes + kReserveStepBytes - 1) / kReserveStepBytes * kReserveStepBytes;
  MR_TRY(file_->Reserve(reserved_, goal - reserved_));
  reserved_ = goal;
  return {};
}

Result<BufferPtr> ReadExactly(File& file, const std::string& path, uint64_t position,
                              uint32_t bytes) {
  Bytes content(bytes);
  MR_ASSIGN(const size_t read, file.ReadAt(position, content));
  if (read != bytes) {
    return Err(ErrorCode::kCorruption, fmt::format("{} ends at byte {}, wanted {} bytes at {}", path,
                                                   position + read, bytes, position));
  }
  return Buffer::Own(std::move(content));
}

}  // namespace millrace
