#include "millrace/stream/embedded/journal.h"

#include <algorithm>

#include "millrace/base/planted_bug.h"
#include "millrace/stream/embedded/journal_format.h"

namespace millrace {

using journal_format::kClosingMarkBytes;
using journal_format::kHeaderBytes;

Journal::Journal(const DataDirectory& directory, uint64_t file_bytes, uint64_t incarnation,
                 Place place)
    : directory_(directory), file_bytes_(file_bytes), incarnation_(incarnation), place_(place) {}

bool Journal::Fits(uint64_t record_bytes) const {
  return file_ != nullptr &&
         place_.last_file_end + AlignRecord(record_bytes) + kClosingMarkBytes <= capacity_;
}

Status Journal::StartFile(const JournalEntries& full, uint64_t record_bytes_min) {
  Bytes encoded;
  full.Encode(encoded);
  const uint64_t full_bytes = AlignRecord(kHeaderBytes + encoded.size());
  // Room for as much again, or a large full record would have every round start a file of its own.
  const uint64_t capacity =
      std::max(file_bytes_, 2 * full_bytes + AlignRecord(record_bytes_min) + kClosingMarkBytes);
  const uint64_t number = place_.next_file;
  MR_ASSIGN(auto file, MakeFile(number, capacity));

  auto old_file = std::exchange(file_, std::move(file));
  const Place old_place = place_;
  const uint64_t old_capacity = std::exchange(capacity_, capacity);
  place_.last_file = number;
  place_.last_file_end = 0;
  auto written = Write(JournalRecordType::kFull, full, {});
  if (written && !MR_PLANTED(SkipDirectorySync)) {
    written = directory_.files().SyncDirectory(directory_.JournalDirectory());
  }
  if (!written) {
    file_ = std::move(old_file);
    place_ = old_place;
    capacity_ = old_capacity;
    return written;
  }
  ++place_.next_file;
  return CloseFile(std::move(old_file), old_place, number);
}

Status Journal::CloseFile(std::unique_ptr<File> file, const Place& place, uint64_t next_file) {
  if (place.last_file == 0) {
    return {};
  }
  if (file == nullptr) {
    MR_ASSIGN(file, directory_.files().Open(directory_.JournalPath(place.last_file),
                                            OpenMode::kReadWrite));
  }
  MR_ASSIGN(const uint64_t size, file->Size());
  return place.last_file_end + kClosingMarkBytes <= size ? WriteMark(*file, place, next_file)
                                                         : Status{};
}

Result<std::unique_ptr<File>> Journal::MakeFile(uint64_t number, uint64_t bytes) {
  FileSystem& files = directory_.files();
  const std::string path = directory_.JournalPath(number);
  const std::string spare = directory_.SpareJournalPath();
  if (auto info = files.Info(spare); info && info->size >= bytes) {
    MR_TRY(files.Rename(spare, path));
    return files.Open(path, OpenMode::kReadWrite);
  }
  auto file = files.Open(path, OpenMode::kCreate);
  if (!file && file.error().code() == ErrorCode::kFileExists) {
    file = files.Open(path, OpenMode::kReadWrite);  // Left by an attempt that met a full disk.
  }
  if (file) {
    MR_TRY(FillWithZeros(**file, 0, bytes));
  }
  return file;
}

Status Journal::Write(JournalRecordType type, const JournalEntries& entries,
                      std::span<const std::span<const std::byte>> frames) {
  JournalRecordHeader header{.type = type,
                             .identity = directory_.identity(),
                             .incarnation = incarnation_,
                             .file = place_.last_file,
                             .sequence = place_.next_sequence,
                             .previous_checksum = place_.previous_checksum};
  const Bytes head = EncodeJournalRecord(header, entries, frames);
  const uint64_t record_bytes = AlignRecord(header.total_bytes());
  MR_CHECK(place_.last_file_end + record_bytes <= capacity_, "journal file is full");
  std::vector<std::span<const std::byte>> pieces{head};
  pieces.insert(pieces.end(), frames.begin(), frames.end());
  auto written = file_->WriteAt(place_.last_file_end, pieces);
  if (!written) {
    if (MR_PLANTED(RetryElsewhere) && Fits(2 * record_bytes)) {
      place_.last_file_end += record_bytes;
    }
    return written;
  }
  if (!MR_PLANTED(SkipJournalSync)) {
    MR_TRY(file_->Sync());
  }
  frames_position_ = place_.last_file_end + head.size();
  place_.last_file_end += record_bytes;
  place_.previous_checksum = header.checksum;
  ++place_.next_sequence;
  marked_ = false;
  return {};
}

Result<uint64_t> Journal::AppendRound(const JournalEntries& entries,
                                      std::span<const std::span<const std::byte>> frames) {
  MR_TRY(Write(JournalRecordType::kRound, entries, frames));
  return frames_position_;
}

Status Journal::AppendMark() {
  if (marked_ || !Fits(kHeaderBytes)) {
    return {};
  }
  MR_TRY(WriteMark(*file_, place_, 0));
  place_.last_file_end += kHeaderBytes;
  marked_ = true;
  return {};
}

Status Journal::WriteMark(File& file, const Place& place, uint64_t next_file) {
  JournalRecordHeader header{.type = JournalRecordType::kMark,
                             .identity = directory_.identity(),
                             .incarnation = incarnation_,
                             .file = place.last_file,
                             .sequence = place.next_sequence,
                             .previous_checksum = place.previous_checksum};
  JournalEntries entries;
  entries.next_file = next_file;
  const Bytes mark = EncodeJournalRecord(header, entries, {});
  auto written = file.WriteAt(place.last_file_end, mark);
  // What a mark proves can wait; a torn one is no record.
  return !written && written.error().code() == ErrorCode::kDiskFull ? Status{} : written;
}

Status RetireJournal(const DataDirectory& directory, uint64_t number) {
  FileSystem& files = directory.files();
  const std::string path = directory.JournalPath(number);
  if (files.Info(directory.SpareJournalPath())) {
    MR_TRY(files.RemoveFile(path));
  } else {
    MR_TRY(files.Rename(path, directory.SpareJournalPath()));
  }
  // Without this an older journal could come back after a crash that a later one did not survive.
  return files.SyncDirectory(directory.JournalDirectory());
}

Status FillWithZeros(File& file, uint64_t from, uint64_t to) {
  constexpr uint64_t kPieceBytes = 1 << 20;
  const Bytes zeros(std::min(kPieceBytes, to - from));
  for (uint64_t at = from; at < to; at += zeros.size()) {
    MR_TRY(file.WriteAt(at, std::span(zeros).first(std::min<uint64_t>(zeros.size(), to - at))));
  }
  return {};
}

}  // namespace millrace
