#include "millrace/stream/embedded/journal.h"

#include <algorithm>

#include "millrace/stream/embedded/journal_format.h"

namespace millrace {

using journal_format::kHeaderBytes;

Journal::Journal(const DataDirectory& directory, uint64_t file_bytes, uint64_t incarnation,
                 Place place)
    : directory_(directory), file_bytes_(file_bytes), incarnation_(incarnation), place_(place) {}

bool Journal::Fits(uint64_t record_bytes) const {
  return file_ != nullptr && position_ + AlignRecord(record_bytes) <= capacity_;
}

Status Journal::StartFile(const JournalEntries& full, uint64_t record_bytes_min) {
  Bytes encoded;
  full.Encode(encoded);
  const uint64_t full_bytes = AlignRecord(kHeaderBytes + encoded.size());
  const uint64_t capacity = std::max(file_bytes_, full_bytes + AlignRecord(record_bytes_min));
  const uint64_t number = place_.next_file;
  MR_ASSIGN(auto file, MakeFile(number, capacity));

  auto old_file = std::exchange(file_, std::move(file));
  const auto old = std::tuple(current_file_, capacity_, position_);
  current_file_ = number;
  capacity_ = capacity;
  position_ = 0;
  auto written = Write(JournalRecordType::kFull, full, {}, /*sync=*/true);
  if (written) {
    written = directory_.files().SyncDirectory(directory_.JournalDirectory());
  }
  if (!written) {
    file_ = std::move(old_file);
    std::tie(current_file_, capacity_, position_) = old;
    return written;
  }
  ++place_.next_file;
  return {};
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
                      std::span<const std::span<const std::byte>> frames, bool sync) {
  JournalRecordHeader header{.type = type,
                             .identity = directory_.identity(),
                             .incarnation = incarnation_,
                             .file = current_file_,
                             .sequence = place_.next_sequence,
                             .previous_checksum = place_.previous_checksum};
  const Bytes head = EncodeJournalRecord(header, entries, frames);
  MR_CHECK(position_ + AlignRecord(header.total_bytes()) <= capacity_, "journal file is full");
  std::vector<std::span<const std::byte>> pieces{head};
  pieces.insert(pieces.end(), frames.begin(), frames.end());
  MR_TRY(file_->WriteAt(position_, pieces));
  if (sync) {
    MR_TRY(file_->Sync());
  }
  frames_position_ = position_ + head.size();
  position_ += AlignRecord(header.total_bytes());
  place_.previous_checksum = header.checksum;
  ++place_.next_sequence;
  marked_ = type == JournalRecordType::kMark;
  return {};
}

Result<uint64_t> Journal::AppendRound(const JournalEntries& entries,
                                      std::span<const std::span<const std::byte>> frames) {
  MR_TRY(Write(JournalRecordType::kRound, entries, frames, /*sync=*/true));
  return frames_position_;
}

Status Journal::AppendMark() {
  if (marked_ || !Fits(kHeaderBytes)) {
    return {};
  }
  return Write(JournalRecordType::kMark, {}, {}, /*sync=*/false);
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
