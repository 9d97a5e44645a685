#include "millrace/base/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

namespace millrace {

namespace {

ErrorCode CodeOf(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kDiskFull;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kFileNotFound;
    case EEXIST:
      return ErrorCode::kFileExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    default:
      return ErrorCode::kIoError;
  }
}

std::unexpected<Error> OsError(std::string_view call, const std::string& path, int number,
                               std::source_location where = std::source_location::current()) {
  return Err(CodeOf(number),
             fmt::format("{} {}: {}", call, path, std::system_category().message(number)), where);
}

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

FileInfo InfoOf(const struct stat& info) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  constexpr int64_t kNanosPerMicro = 1'000;
  return {.size = static_cast<uint64_t>(info.st_size),
          .inode = info.st_ino,
          .device = info.st_dev,
          .modified_micros =
              info.st_mtim.tv_sec * kMicrosPerSecond + info.st_mtim.tv_nsec / kNanosPerMicro,
          .is_directory = S_ISDIR(info.st_mode),
          .is_regular = S_ISREG(info.st_mode)};
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> out) override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n == 0) {
        break;
      }
      if (n < 0) {
        if (errno == EINTR) {
          continue;
        }
        return OsError("read", path_, errno);
      }
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::span<const std::span<const std::byte>> pieces) override {
    constexpr size_t kPiecesPerCall = 64;
    std::array<iovec, kPiecesPerCall> vectors{};
    size_t piece = 0;
    size_t within = 0;
    while (piece < pieces.size()) {
      size_t count = 0;
      for (size_t i = piece; i < pieces.size() && count < kPiecesPerCall; ++i, ++count) {
        const auto rest = i == piece ? pieces[i].subspan(within) : pieces[i];
        vectors[count] = {const_cast<std::byte*>(rest.data()), rest.size()};
      }
      const ssize_t n =
          pwritev(fd_.get(), vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) {
          continue;
        }
        return OsError("write", path_, errno);
      }
      offset += static_cast<uint64_t>(n);
      within += static_cast<size_t>(n);
      while (piece < pieces.size() && within >= pieces[piece].size()) {
        within -= pieces[piece].size();
        ++piece;
      }
    }
    return {};
  }

  Status Sync() override {
    if (fdatasync(fd_.get()) != 0) {
      return Err(ErrorCode::kSyncFailed,
                 fmt::format("fdatasync {}: {}", path_, std::system_category().message(errno)));
    }
    return {};
  }

  Status Truncate(uint64_t size) override {
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return OsError("truncate", path_, errno);
    }
    return {};
  }

  Status Reserve(uint64_t offset, uint64_t length) override {
    while (fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                     static_cast<off_t>(length)) != 0) {
      if (errno == EOPNOTSUPP) {
        return {};
      }
      if (errno != EINTR) {
        return OsError("reserve", path_, errno);
      }
    }
    return {};
  }

  Result<uint64_t> Size() override {
    MR_ASSIGN(const FileInfo info, Info());
    return info.size;
  }

  Result<FileInfo> Info() override {
    struct stat info{};
    if (fstat(fd_.get(), &info) != 0) {
      return OsError("stat", path_, errno);
    }
    return InfoOf(info);
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFileSystem::Open(const std::string& path, OpenMode mode) {
  Descriptor fd(open(path.c_str(), FlagsOf(mode) | O_CLOEXEC, 0640));
  if (fd.get() < 0) {
    return OsError("open", path, errno);
  }
  return std::make_unique<PosixFile>(std::move(fd), path);
}

Status PosixFileSystem::CreateDirectories(const std::string& path) {
  if (path.empty() || mkdir(path.c_str(), 0750) == 0) {
    return path.empty() ? Status{} : SyncDirectory(ParentPath(path));
  }
  if (errno == ENOENT) {
    MR_TRY(CreateDirectories(ParentPath(path)));
    if (mkdir(path.c_str(), 0750) == 0) {
      return SyncDirectory(ParentPath(path));
    }
  }
  const int number = errno;
  struct stat info{};
  if (number == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return {};
  }
  return OsError("create directory", path, number);
}

Status PosixFileSystem::SyncDirectory(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) {
    return OsError("open directory", path, errno);
  }
  if (fsync(fd.get()) != 0) {
    return Err(ErrorCode::kSyncFailed,
               fmt::format("fsync {}: {}", path, std::system_category().message(errno)));
  }
  return {};
}

Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return OsError("rename", fmt::format("{} to {}", from, to), errno);
  }
  return {};
}

Status PosixFileSystem::RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    return OsError("remove", path, errno);
  }
  return {};
}

Status PosixFileSystem::RemoveDirectory(const std::string& path) {
  if (rmdir(path.c_str()) != 0) {
    return OsError("remove directory", path, errno);
  }
  return {};
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::List(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) {
    return OsError("list", path, errno);
  }
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return OsError("list", path, errno);
      }
      break;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") {
      continue;
    }
    struct stat info{};
    if (fstatat(dirfd(directory.get()), name.c_str(), &info, 0) == 0) {
      entries.push_back({.name = std::move(name), .is_directory = S_ISDIR(info.st_mode)});
    }
  }
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

Result<FileInfo> PosixFileSystem::Info(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return OsError("stat", path, errno);
  }
  return InfoOf(info);
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::Lock(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (fd.get() < 0) {
    return OsError("open", path, errno);
  }
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Err(ErrorCode::kDataDirLocked, fmt::format("{} is held by another process", path));
    }
    return OsError("lock", path, errno);
  }
  return std::make_unique<PosixFileLock>(std::move(fd));
}

Result<uint64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0) {
    return OsError("statvfs", path, errno);
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace millrace
