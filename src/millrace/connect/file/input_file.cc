#include "millrace/connect/file/input_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

namespace millrace {

namespace {

constexpr size_t kGzipHeaderBytesMin = 2;
constexpr size_t kCompressedBytes = size_t{64} << 10;

std::unexpected<Error> Damaged(std::string_view what) {
  return Err(ErrorCode::kDecompressionFailed, fmt::format("gzip: {}", what));
}

}  // namespace

/// Reads the members of a gzip file one after the other (RFC 1952). zlib's state lives as long as
/// this object.
class InputFile::Inflater {
 public:
  explicit Inflater(File& file) : file_(file), input_(kCompressedBytes) { Begin(); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// Starts again at the begin of the file.
  void Restart() {
    inflateEnd(&stream_);
    stream_ = {};
    offset_ = 0;
    in_member_ = false;
    Begin();
  }

  /// Fills `out` as far as the file goes; what was read before a failure is lost to the caller
  /// unless it asks for less. `ended_early`: see InputFile.
  Result<size_t> Read(std::span<std::byte> out, bool& ended_early) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const auto done = [&] { return out.size() - stream_.avail_out; };
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) {
        MR_ASSIGN(const size_t read, file_.ReadAt(offset_, input_));
        offset_ += read;
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(read);
        if (read == 0) {
          ended_early = in_member_;
          return in_member_ && done() == 0 ? Result<size_t>(Damaged("the end is missing")) : done();
        }
      }
      if (!in_member_ && SkipPadding()) {
        continue;
      }
      in_member_ = true;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        in_member_ = false;
        inflateReset(&stream_);
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        if (done() > 0) {
          return done();  // The next call finds the damage again.
        }
        return Damaged(stream_.msg != nullptr ? stream_.msg : "damaged data");
      }
    }
    return done();
  }

 private:
  void Begin() {
    constexpr int kGzipWindow = 15 + 16;  // zlib.h: +16 = gzip only.
    inflateInit2(&stream_, kGzipWindow);
  }

  /// Drops zeros between and behind members, as gzip does; true when there is no input left.
  bool SkipPadding() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
    }
    return stream_.avail_in == 0;
  }

  File& file_;
  std::vector<std::byte> input_;
  z_stream stream_{};
  uint64_t offset_ = 0;  // Of compressed bytes, behind what is in input_.
  bool in_member_ = false;
};

InputFile::InputFile(std::unique_ptr<File> file, std::unique_ptr<Inflater> inflater)
    : file_(std::move(file)), inflater_(std::move(inflater)) {}
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;
InputFile::~InputFile() = default;

Result<InputFile> InputFile::Open(FileSystem& files, const std::string& path) {
  MR_ASSIGN(const FileInfo info, files.Info(path));
  if (!info.is_regular) {
    return std::unexpected(
        Error(ErrorCode::kSourceUnavailable,
              fmt::format("{} is {}", path, info.is_directory ? "a directory" : "no regular file"))
            .WithHint("name a file, or a glob such as logs/*.log"));
  }
  MR_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  std::array<std::byte, kGzipHeaderBytesMin> magic{};
  MR_ASSIGN(const size_t read, file->ReadAt(0, magic));
  const bool is_gzip =
      (read == magic.size() && magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b}) ||
      path.ends_with(".gz");
  auto inflater = is_gzip ? std::make_unique<Inflater>(*file) : nullptr;
  return InputFile(std::move(file), std::move(inflater));
}

Result<size_t> InputFile::Read(std::span<std::byte> out) {
  if (inflater_ == nullptr) {
    MR_ASSIGN(const size_t read, file_->ReadAt(position_, out));
    position_ += read;
    return read;
  }
  ended_early_ = false;
  MR_ASSIGN(const size_t read, inflater_->Read(out, ended_early_));
  position_ += read;
  return read;
}

Status InputFile::Seek(uint64_t offset) {
  if (inflater_ == nullptr) {
    position_ = offset;
    return {};
  }
  if (offset < position_) {
    inflater_->Restart();
    position_ = 0;
  }
  std::vector<std::byte> skipped(std::min<uint64_t>(kCompressedBytes, offset - position_));
  while (position_ < offset) {
    const uint64_t wanted = std::min<uint64_t>(skipped.size(), offset - position_);
    MR_ASSIGN(const size_t read, Read(std::span(skipped).first(wanted)));
    if (read == 0) {
      break;
    }
  }
  return {};
}

}  // namespace millrace
