#include "millrace/stream/embedded/data_directory.h"

#include <charconv>

#include <fmt/format.h>

#include "millrace/base/rng.h"
#include "millrace/stream/embedded/journal_format.h"
#include "millrace/stream/embedded/journal_record.h"
#include "millrace/stream/stream_definition.h"

namespace millrace {

namespace {

constexpr int kFormatVersion = 1;
constexpr std::string_view kIdentityPrefix = "millrace data directory, format ";
constexpr uint64_t kIdentityBytesMax = 4096;

std::string IdentityText(uint64_t identity) {
  return fmt::format("{}{}\nidentity {:016x}\n", kIdentityPrefix, kFormatVersion, identity);
}

Result<uint64_t> ParseIdentity(std::string_view text, const std::string& path) {
  int version = 0;
  if (text.starts_with(kIdentityPrefix)) {
    const std::string_view rest = text.substr(kIdentityPrefix.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), version);
  }
  if (version > kFormatVersion) {
    return Err(ErrorCode::kFormatTooNew, fmt::format("{} says format {}, this version knows {}",
                                                     path, version, kFormatVersion));
  }
  uint64_t identity = 0;
  const size_t at = text.find("identity ");
  if (at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + 9);
    std::from_chars(digits.data(), digits.data() + digits.size(), identity, 16);
  }
  if (version < 1 || text != IdentityText(identity)) {
    return Err(ErrorCode::kCorruption, fmt::format("{} is damaged", path));
  }
  return identity;
}

/// Whether a journal file holds more than the full record that the making of a directory writes;
/// of whatever identity, which is lost.
Result<bool> HoldsRounds(FileSystem& files, const std::string& path, uint64_t number) {
  MR_ASSIGN(const auto file, files.Open(path, OpenMode::kRead));
  MR_ASSIGN(const uint64_t size, file->Size());
  Bytes bytes(size);
  MR_ASSIGN(const size_t read, file->ReadAt(0, bytes));
  const auto content = std::span(bytes).first(read);
  for (uint64_t at = journal_format::kAlignment; at + journal_format::kHeaderBytes <= read;
       at += journal_format::kAlignment) {
    const auto record = content.subspan(at);
    uint32_t magic = 0;
    uint64_t identity = 0;
    std::memcpy(&magic, record.data(), sizeof(magic));
    std::memcpy(&identity, record.data() + journal_format::kIdentityAt, sizeof(identity));
    if (magic == journal_format::kMagic && ReadJournalRecord(record, identity, number)) {
      return true;
    }
  }
  return false;
}

/// Removes what the making of a directory left that was cut short: a first journal file without a
/// round, and no streams.
Status DiscardUnfinished(FileSystem& files, const std::string& path) {
  MR_ASSIGN(const auto streams, files.List(JoinPath(path, "streams")));
  MR_ASSIGN(const auto journals, files.List(JoinPath(path, "journal")));
  for (const DirectoryEntry& entry : journals) {
    const std::string journal = fmt::format("{}/journal/{}", path, entry.name);
    bool used = !streams.empty() || NumberOfFile(entry.name, ".jnl") != 1;
    if (!used) {
      MR_ASSIGN(used, HoldsRounds(files, journal, 1));
    }
    if (used) {
      return Err(ErrorCode::kCorruption,
                 fmt::format("{}/IDENTITY is missing, but there is {}", path, journal));
    }
    MR_TRY(files.RemoveFile(journal));
  }
  if (!streams.empty()) {
    return Err(ErrorCode::kCorruption,
               fmt::format("{0}/IDENTITY is missing, but there is {0}/streams/{1}", path,
                           streams.front().name));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(FileSystem& files, std::string path) {
  MR_TRY(files.CreateDirectories(path));
  MR_ASSIGN(auto lock, files.Lock(JoinPath(path, "LOCK")));
  MR_TRY(files.CreateDirectories(JoinPath(path, "journal")));
  MR_TRY(files.CreateDirectories(JoinPath(path, "streams")));
  // A process that was killed may have left names that exist and are not durable.
  MR_TRY(files.SyncDirectory(path));
  MR_TRY(files.SyncDirectory(JoinPath(path, "streams")));
  const std::string identity_path = JoinPath(path, "IDENTITY");
  uint64_t identity = 0;
  auto text = ReadWholeFile(files, identity_path, kIdentityBytesMax);
  const bool fresh = !text && text.error().code() == ErrorCode::kFileNotFound;
  if (fresh) {
    MR_TRY(DiscardUnfinished(files, path));
    FillRandomBytes(&identity, sizeof(identity));
  } else if (!text) {
    return Err(text.error());
  } else {
    MR_ASSIGN(identity, ParseIdentity(*text, identity_path));
  }
  return std::unique_ptr<DataDirectory>(
      new DataDirectory(files, std::move(path), identity, fresh, std::move(lock)));
}

Status DataDirectory::Persist() {
  MR_TRY(ReplaceFile(files_, IdentityPath(), IdentityText(identity_)));
  fresh_ = false;
  return {};
}

std::string DataDirectory::IdentityPath() const { return JoinPath(path_, "IDENTITY"); }

std::string DataDirectory::JournalDirectory() const { return JoinPath(path_, "journal"); }

std::string DataDirectory::JournalPath(uint64_t number) const {
  return fmt::format("{}/journal/{:012}.jnl", path_, number);
}

std::string DataDirectory::SpareJournalPath() const {
  return fmt::format("{}/journal/spare.jnl", path_);
}

std::string DataDirectory::StreamDirectory(const StreamInfo& stream) const {
  std::string safe;
  for (const char c : FirstName(stream.definition)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '$' || c == '-';
    safe += plain ? c : '_';
  }
  constexpr size_t kNameBytesMax = 100;
  safe.resize(std::min(safe.size(), kNameBytesMax));
  return fmt::format("{}/streams/{}.{}", path_, safe, stream.id);
}

std::string DataDirectory::SegmentPath(const StreamInfo& stream, uint64_t number) const {
  return fmt::format("{}/{:012}.seg", StreamDirectory(stream), number);
}

std::optional<uint64_t> NumberOfFile(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(0, name.size() - suffix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace millrace
