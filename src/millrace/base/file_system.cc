#include "millrace/base/file_system.h"

#include <fmt/format.h>

#include "millrace/base/bytes.h"

namespace millrace {

Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path, uint64_t bytes_max) {
  MR_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  MR_ASSIGN(const uint64_t size, file->Size());
  if (size > bytes_max) {
    return Err(ErrorCode::kRecordTooLarge,
               fmt::format("{} has {} bytes, the limit is {}", path, size, bytes_max));
  }
  std::string content(size, '\0');
  MR_ASSIGN(const size_t read,
            file->ReadAt(0, std::as_writable_bytes(std::span(content.data(), content.size()))));
  content.resize(read);
  return content;
}

Status ReplaceFile(FileSystem& files, const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  if (auto removed = files.RemoveFile(temporary);
      !removed && removed.error().code() != ErrorCode::kFileNotFound) {
    return removed;
  }
  MR_ASSIGN(auto file, files.Open(temporary, OpenMode::kCreate));
  MR_TRY(file->WriteAt(0, AsBytes(content)));
  MR_TRY(file->Sync());
  MR_TRY(files.Rename(temporary, path));
  return files.SyncDirectory(ParentPath(path));
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  return fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
}

std::string ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace millrace
