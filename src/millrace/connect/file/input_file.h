#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "millrace/base/file_system.h"
#include "millrace/base/result.h"

namespace millrace {

/// The content of one open file, decompressed where it is gzip. Offsets count decompressed bytes.
/// It stays the same file when its name goes elsewhere. One thread at a time.
class InputFile {
 public:
  /// Errors: those of FileSystem::Open; kSourceUnavailable for what is not a regular file.
  static Result<InputFile> Open(FileSystem& files, const std::string& path);
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;
  ~InputFile();

  /// Reads up to `out.size()` bytes and moves behind them; fewer only at the present end. Errors:
  /// kDecompressionFailed for damaged gzip data and for such that ends too early, once all that can
  /// be read has been; see ended_early().
  Result<size_t> Read(std::span<std::byte> out);
  /// Moves to an offset, which may lie behind the end: Read then finds nothing. Going back in a
  /// gzip file reads it from its begin.
  Status Seek(uint64_t offset);
  uint64_t position() const { return position_; }

  Result<FileInfo> Info() { return file_->Info(); }
  bool is_gzip() const { return inflater_ != nullptr; }
  /// After kDecompressionFailed: there was no damage, only the end was missing; it may still be
  /// written.
  bool ended_early() const { return ended_early_; }

 private:
  class Inflater;
  InputFile(std::unique_ptr<File> file, std::unique_ptr<Inflater> inflater);

  std::unique_ptr<File> file_;
  std::unique_ptr<Inflater> inflater_;
  uint64_t position_ = 0;
  bool ended_early_ = false;
};

}  // namespace millrace
