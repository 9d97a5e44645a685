#include "millrace/base/posix_file_system.h"

#include <array>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/bytes.h"
#include "millrace/base/simulated_file_system.h"

namespace millrace {
namespace {

/// The contract of FileSystem, over each implementation.
class FileSystemContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "Simulated") {
      files_ = std::make_unique<SimulatedFileSystem>(1);
      ASSERT_TRUE(files_->CreateDirectories(root_));
      return;
    }
    std::string pattern = testing::TempDir() + "/millrace_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    files_ = std::make_unique<PosixFileSystem>();
  }

  void TearDown() override {
    if (GetParam() == "Posix") {
      std::filesystem::remove_all(root_);
    }
  }

  std::string Path(std::string_view name) const { return JoinPath(root_, name); }

  std::unique_ptr<File> Create(std::string_view name, std::string_view content = "") {
    auto file = files_->Open(Path(name), OpenMode::kCreate);
    EXPECT_TRUE(file);
    EXPECT_TRUE((*file)->WriteAt(0, AsBytes(content)));
    return std::move(*file);
  }

  std::string Content(std::string_view name) {
    auto content = ReadWholeFile(*files_, Path(name), 1 << 20);
    return content ? *content : content.error().ToString();
  }

  std::string root_ = "/root";
  std::unique_ptr<FileSystem> files_;
};

TEST_P(FileSystemContract, OpenChecksPresence) {
  EXPECT_EQ(files_->Open(Path("a"), OpenMode::kRead).error().code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(files_->Open(Path("a"), OpenMode::kReadWrite).error().code(), ErrorCode::kFileNotFound);
  Create("a");
  EXPECT_TRUE(files_->Open(Path("a"), OpenMode::kRead));
  EXPECT_TRUE(files_->Open(Path("a"), OpenMode::kReadWrite));
  EXPECT_EQ(files_->Open(Path("a"), OpenMode::kCreate).error().code(), ErrorCode::kFileExists);
  EXPECT_EQ(files_->Open(Path("no/a"), OpenMode::kCreate).error().code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(files_->Open(Path("a/b"), OpenMode::kRead).error().code(), ErrorCode::kFileNotFound);
}

TEST_P(FileSystemContract, ReadsAndWritesAtOffsets) {
  auto file = Create("a", "hello");
  const std::array<std::span<const std::byte>, 3> pieces{AsBytes("AB"), AsBytes(""), AsBytes("CD")};
  ASSERT_TRUE(file->WriteAt(7, pieces));
  EXPECT_EQ(Content("a"), std::string("hello\0\0ABCD", 11));
  EXPECT_EQ(*file->Size(), 11U);
  std::string out(8, '?');
  const auto bytes = std::as_writable_bytes(std::span(out.data(), out.size()));
  EXPECT_EQ(*file->ReadAt(7, bytes), 4U);
  EXPECT_EQ(out, "ABCD????");
  EXPECT_EQ(*file->ReadAt(11, bytes), 0U);
  EXPECT_EQ(*file->ReadAt(100, bytes), 0U);
}

TEST_P(FileSystemContract, WriteNeedsAWritableFile) {
  Create("a", "x");
  auto file = files_->Open(Path("a"), OpenMode::kRead);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->WriteAt(0, AsBytes("y")).error().code(), ErrorCode::kIoError);
  EXPECT_EQ(Content("a"), "x");
}

TEST_P(FileSystemContract, TruncateShrinksAndGrows) {
  auto file = Create("a", "hello");
  ASSERT_TRUE(file->Truncate(2));
  EXPECT_EQ(Content("a"), "he");
  ASSERT_TRUE(file->Truncate(4));
  EXPECT_EQ(Content("a"), std::string("he\0\0", 4));
}

TEST_P(FileSystemContract, ReserveKeepsTheSize) {
  auto file = Create("a", "hello");
  ASSERT_TRUE(file->Reserve(0, 1 << 16));
  EXPECT_EQ(*file->Size(), 5U);
  EXPECT_TRUE(file->Sync());
}

TEST_P(FileSystemContract, CreatesNestedDirectories) {
  ASSERT_TRUE(files_->CreateDirectories(Path("a/b/c")));
  ASSERT_TRUE(files_->CreateDirectories(Path("a/b")));
  EXPECT_TRUE(files_->Info(Path("a/b/c"))->is_directory);
  Create("file");
  EXPECT_FALSE(files_->CreateDirectories(Path("file")));
  EXPECT_EQ(files_->SyncDirectory(Path("no")).error().code(), ErrorCode::kFileNotFound);
  EXPECT_TRUE(files_->SyncDirectory(Path("a")));
}

TEST_P(FileSystemContract, RenameReplacesAndMoves) {
  Create("a", "new");
  Create("b", "old");
  ASSERT_TRUE(files_->Rename(Path("a"), Path("b")));
  EXPECT_EQ(Content("b"), "new");
  EXPECT_FALSE(files_->Info(Path("a")));
  ASSERT_TRUE(files_->CreateDirectories(Path("d")));
  ASSERT_TRUE(files_->Rename(Path("b"), Path("d/c")));
  EXPECT_EQ(Content("d/c"), "new");
  ASSERT_TRUE(files_->Rename(Path("d"), Path("e")));
  EXPECT_EQ(Content("e/c"), "new");
  EXPECT_EQ(files_->Rename(Path("no"), Path("x")).error().code(), ErrorCode::kFileNotFound);
}

TEST_P(FileSystemContract, RemovesFilesAndEmptyDirectories) {
  ASSERT_TRUE(files_->CreateDirectories(Path("d")));
  Create("d/a");
  EXPECT_EQ(files_->RemoveDirectory(Path("d")).error().code(), ErrorCode::kIoError);
  EXPECT_FALSE(files_->RemoveFile(Path("d")));
  EXPECT_EQ(files_->RemoveDirectory(Path("d/a")).error().code(), ErrorCode::kFileNotFound);
  ASSERT_TRUE(files_->RemoveFile(Path("d/a")));
  EXPECT_EQ(files_->RemoveFile(Path("d/a")).error().code(), ErrorCode::kFileNotFound);
  EXPECT_TRUE(files_->RemoveDirectory(Path("d")));
  EXPECT_EQ(files_->List(Path("d")).error().code(), ErrorCode::kFileNotFound);
}

TEST_P(FileSystemContract, ListsInOrderOfNames) {
  Create("b");
  Create("a");
  ASSERT_TRUE(files_->CreateDirectories(Path("c")));
  const auto entries = files_->List(root_);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_FALSE((*entries)[1].is_directory);
  EXPECT_TRUE((*entries)[2].is_directory);
}

TEST_P(FileSystemContract, InfoIdentifiesFiles) {
  Create("a", "123");
  Create("b");
  const auto before = files_->Info(Path("a"));
  ASSERT_TRUE(before);
  EXPECT_EQ(before->size, 3U);
  EXPECT_NE(before->inode, files_->Info(Path("b"))->inode);
  ASSERT_TRUE(files_->Rename(Path("a"), Path("c")));
  EXPECT_EQ(files_->Info(Path("c"))->inode, before->inode);
  EXPECT_EQ(files_->Info(Path("a")).error().code(), ErrorCode::kFileNotFound);
}

TEST_P(FileSystemContract, LockExcludesUntilItEnds) {
  auto lock = files_->Lock(Path("LOCK"));
  ASSERT_TRUE(lock);
  EXPECT_EQ(files_->Lock(Path("LOCK")).error().code(), ErrorCode::kDataDirLocked);
  lock->reset();
  EXPECT_TRUE(files_->Lock(Path("LOCK")));
}

TEST_P(FileSystemContract, ReplaceFileWritesAndReplaces) {
  ASSERT_TRUE(ReplaceFile(*files_, Path("a"), "one"));
  ASSERT_TRUE(ReplaceFile(*files_, Path("a"), "two"));
  EXPECT_EQ(Content("a"), "two");
  EXPECT_EQ(files_->List(root_)->size(), 1U);
  EXPECT_EQ(ReadWholeFile(*files_, Path("a"), 2).error().code(), ErrorCode::kRecordTooLarge);
}

TEST_P(FileSystemContract, FreeBytesIsPositive) { EXPECT_GT(*files_->FreeBytes(root_), 0U); }

INSTANTIATE_TEST_SUITE_P(Implementations, FileSystemContract, testing::Values("Posix", "Simulated"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace millrace
