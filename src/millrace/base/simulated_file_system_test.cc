#include "millrace/base/simulated_file_system.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "millrace/base/bytes.h"

namespace millrace {
namespace {

using testing::HasSubstr;

constexpr SimulatedDiskOptions kLoseAll{
    .write_lost = 1, .write_kept = 0, .names_lost = 1, .names_kept = 0};
constexpr SimulatedDiskOptions kKeepAll{
    .write_lost = 0, .write_kept = 1, .names_lost = 0, .names_kept = 1};
constexpr SimulatedDiskOptions kTearAll{
    .write_lost = 0, .write_kept = 0, .names_lost = 0, .names_kept = 0};

std::unique_ptr<File> Create(FileSystem& files, const std::string& path) {
  auto file = files.Open(path, OpenMode::kCreate);
  EXPECT_TRUE(file) << path;
  return std::move(*file);
}

/// Creates a file that survives every crash with `content`.
std::unique_ptr<File> CreateDurable(FileSystem& files, const std::string& path,
                                    std::string_view content) {
  auto file = Create(files, path);
  EXPECT_TRUE(file->WriteAt(0, AsBytes(content)));
  EXPECT_TRUE(file->Sync());
  EXPECT_TRUE(files.SyncDirectory(ParentPath(path)));
  return file;
}

std::string Content(FileSystem& files, const std::string& path) {
  auto content = ReadWholeFile(files, path, 1 << 20);
  return content ? *content : content.error().ToString();
}

bool Exists(FileSystem& files, const std::string& path) { return files.Info(path).has_value(); }

void CrashAndRestart(SimulatedFileSystem& files) {
  files.Crash();
  files.Restart();
}

TEST(SimulatedFileSystem, SyncedDataAndNamesSurvive) {
  SimulatedFileSystem files(1, kLoseAll);
  CreateDurable(files, "a", "hello");
  CrashAndRestart(files);
  EXPECT_EQ(Content(files, "a"), "hello");
}

TEST(SimulatedFileSystem, UnsyncedWriteIsLostOrKept) {
  for (const bool kept : {false, true}) {
    SimulatedFileSystem files(1, kept ? kKeepAll : kLoseAll);
    auto file = CreateDurable(files, "a", "hello");
    ASSERT_TRUE(file->WriteAt(1, AsBytes("EY, you")));
    EXPECT_EQ(Content(files, "a"), "hEY, you");
    CrashAndRestart(files);
    EXPECT_EQ(Content(files, "a"), kept ? "hEY, you" : "hello");
  }
}

TEST(SimulatedFileSystem, TornWriteKeepsWholeAlignedPieces) {
  constexpr size_t kPieces = 8;
  std::set<std::string> patterns;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedFileSystem files(seed, kTearAll);
    auto file = CreateDurable(files, "a", std::string(kPieces * 512, '.'));
    ASSERT_TRUE(file->WriteAt(100, AsBytes(std::string(kPieces * 512 - 200, 'x'))));
    CrashAndRestart(files);
    const std::string content = Content(files, "a");
    ASSERT_EQ(content.size(), kPieces * 512);
    std::string pattern;
    for (size_t piece = 0; piece < kPieces; ++piece) {
      const size_t begin = piece == 0 ? 100 : piece * 512;
      const size_t end = piece == kPieces - 1 ? kPieces * 512 - 100 : (piece + 1) * 512;
      pattern += content[begin];
      EXPECT_EQ(content.substr(begin, end - begin), std::string(end - begin, content[begin]));
    }
    patterns.insert(pattern);
  }
  EXPECT_GT(patterns.size(), 20U);
}

TEST(SimulatedFileSystem, TornAppendMayLeaveZerosOrAShorterFile) {
  bool saw_zeros = false;
  bool saw_shorter = false;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedFileSystem files(seed, kTearAll);
    auto file = CreateDurable(files, "a", "");
    ASSERT_TRUE(file->WriteAt(0, AsBytes(std::string(2048, 'x'))));
    CrashAndRestart(files);
    const std::string content = Content(files, "a");
    saw_zeros |= content.contains('\0');
    saw_shorter |= content.size() < 2048;
  }
  EXPECT_TRUE(saw_zeros);
  EXPECT_TRUE(saw_shorter);
}

TEST(SimulatedFileSystem, CreatedFileVanishesUnlessItsDirectoryIsSynced) {
  SimulatedFileSystem files(1, kLoseAll);
  auto file = Create(files, "a");
  ASSERT_TRUE(file->WriteAt(0, AsBytes("x")));
  ASSERT_TRUE(file->Sync());
  CrashAndRestart(files);
  EXPECT_FALSE(Exists(files, "a"));
}

TEST(SimulatedFileSystem, UnsyncedRenameAndRemovalAreUndone) {
  SimulatedFileSystem files(1, kLoseAll);
  CreateDurable(files, "a", "old");
  CreateDurable(files, "b", "new");
  CreateDurable(files, "c", "removed");
  ASSERT_TRUE(files.Rename("b", "a"));
  ASSERT_TRUE(files.RemoveFile("c"));
  EXPECT_EQ(Content(files, "a"), "new");
  EXPECT_FALSE(Exists(files, "c"));
  CrashAndRestart(files);
  EXPECT_EQ(Content(files, "a"), "old");
  EXPECT_EQ(Content(files, "b"), "new");
  EXPECT_EQ(Content(files, "c"), "removed");
}

TEST(SimulatedFileSystem, NamesOfADirectorySurviveInOrder) {
  std::set<size_t> survivors;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedFileSystem files(seed, kTearAll);
    for (int i = 0; i < 4; ++i) {
      Create(files, fmt::format("{}", i));
    }
    CrashAndRestart(files);
    const auto names = files.List(".");
    ASSERT_TRUE(names);
    for (size_t i = 0; i < names->size(); ++i) {
      EXPECT_EQ((*names)[i].name, fmt::format("{}", i)) << "seed " << seed;
    }
    survivors.insert(names->size());
  }
  EXPECT_EQ(survivors.size(), 5U);
}

TEST(SimulatedFileSystem, RenameBetweenDirectoriesIsNeverHalfDone) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedFileSystem files(seed, kTearAll);
    ASSERT_TRUE(files.CreateDirectories("from"));
    ASSERT_TRUE(files.CreateDirectories("to"));
    CreateDurable(files, "from/a", "x");
    Create(files, "to/other");
    ASSERT_TRUE(files.Rename("from/a", "to/a"));
    CrashAndRestart(files);
    EXPECT_NE(Exists(files, "from/a"), Exists(files, "to/a"));
    EXPECT_TRUE(!Exists(files, "to/a") || Exists(files, "to/other"));
  }
}

TEST(SimulatedFileSystem, SyncOfOneDirectoryCarriesTheRenameAndWhatItDependsOn) {
  SimulatedFileSystem files(1, kLoseAll);
  ASSERT_TRUE(files.CreateDirectories("from"));
  ASSERT_TRUE(files.CreateDirectories("to"));
  Create(files, "from/a");
  ASSERT_TRUE(files.Rename("from/a", "to/a"));
  Create(files, "from/later");
  ASSERT_TRUE(files.SyncDirectory("to"));
  CrashAndRestart(files);
  EXPECT_TRUE(Exists(files, "to/a"));
  EXPECT_FALSE(Exists(files, "from/a"));
  EXPECT_FALSE(Exists(files, "from/later"));
}

TEST(SimulatedFileSystem, TruncationIsLostOrKept) {
  for (const bool kept : {false, true}) {
    SimulatedFileSystem files(1, kept ? kKeepAll : kLoseAll);
    auto file = CreateDurable(files, "a", "0123456789");
    ASSERT_TRUE(file->Truncate(4));
    CrashAndRestart(files);
    EXPECT_EQ(Content(files, "a"), kept ? "0123" : "0123456789");
  }
}

TEST(SimulatedFileSystem, CallsOnOldHandlesFailForEver) {
  SimulatedFileSystem files(1, kLoseAll);
  auto file = CreateDurable(files, "a", "x");
  files.Crash();
  EXPECT_EQ(files.Open("a", OpenMode::kRead).error().code(), ErrorCode::kIoError);
  files.Restart();
  std::byte out;
  EXPECT_EQ(file->ReadAt(0, {&out, 1}).error().code(), ErrorCode::kIoError);
  EXPECT_EQ(file->WriteAt(0, AsBytes("y")).error().code(), ErrorCode::kIoError);
  EXPECT_EQ(file->Sync().error().code(), ErrorCode::kIoError);
  EXPECT_TRUE(files.Open("a", OpenMode::kRead));
}

TEST(SimulatedFileSystem, CrashReleasesLocks) {
  SimulatedFileSystem files(1, kKeepAll);
  auto lock = files.Lock("LOCK");
  ASSERT_TRUE(lock);
  EXPECT_EQ(files.Lock("LOCK").error().code(), ErrorCode::kDataDirLocked);
  CrashAndRestart(files);
  auto again = files.Lock("LOCK");
  ASSERT_TRUE(again);
  lock->reset();
  EXPECT_EQ(files.Lock("LOCK").error().code(), ErrorCode::kDataDirLocked);
}

TEST(SimulatedFileSystem, CrashesAtEveryOperationOfReplaceFile) {
  uint64_t operations = 0;
  for (uint64_t at = 1; at <= operations || operations == 0; ++at) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SimulatedFileSystem files(seed);
      ASSERT_TRUE(ReplaceFile(files, "a", "old"));
      operations = files.operations_count();
      files.Restart();
      files.SetFaults({.crash_at = at});
      EXPECT_EQ(ReplaceFile(files, "a", "new").error().code(), ErrorCode::kIoError);
      EXPECT_TRUE(files.crashed());
      files.Restart();
      EXPECT_THAT(Content(files, "a"), testing::AnyOf("old", "new")) << files.Trace();
    }
  }
  EXPECT_EQ(operations, 5U);
}

TEST(SimulatedFileSystem, DiskFullByOperationNumberEnds) {
  SimulatedFileSystem files(1);
  auto file = CreateDurable(files, "a", "");
  const uint64_t next = files.operations_count() + 1;
  files.SetFaults({.disk_full = {.first = next, .count = 2}});
  EXPECT_EQ(file->WriteAt(0, AsBytes("x")).error().code(), ErrorCode::kDiskFull);
  EXPECT_EQ(file->Reserve(0, 4096).error().code(), ErrorCode::kDiskFull);
  EXPECT_TRUE(file->WriteAt(0, AsBytes("x")));
}

TEST(SimulatedFileSystem, CapacityIsChargedForSizesAndReservations) {
  SimulatedFileSystem files(1, {.capacity_bytes = 100});
  auto file = Create(files, "a");
  ASSERT_TRUE(file->Reserve(0, 60));
  EXPECT_EQ(*files.FreeBytes("."), 40U);
  auto other = Create(files, "b");
  EXPECT_EQ(other->WriteAt(0, AsBytes(std::string(41, 'x'))).error().code(), ErrorCode::kDiskFull);
  EXPECT_LE(*other->Size(), 40U);
  EXPECT_TRUE(file->WriteAt(0, AsBytes(std::string(60, 'x'))));
  files.SetCapacity(1000);
  EXPECT_TRUE(other->WriteAt(0, AsBytes(std::string(41, 'x'))));
}

TEST(SimulatedFileSystem, FailedSyncLosesDataForGoodOrKeepsIt) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SimulatedFileSystem files(seed, kKeepAll);
    auto file = CreateDurable(files, "a", "..");
    ASSERT_TRUE(file->WriteAt(0, AsBytes("x")));
    ASSERT_TRUE(file->WriteAt(1, AsBytes("y")));
    files.SetFaults({.write_errors = {.first = files.operations_count() + 1, .count = 1}});
    EXPECT_EQ(file->Sync().error().code(), ErrorCode::kSyncFailed);
    EXPECT_EQ(Content(files, "a"), "xy");
    EXPECT_TRUE(file->Sync());
    CrashAndRestart(files);
    outcomes.insert(Content(files, "a"));
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"..", "x.", ".y", "xy"}));
}

TEST(SimulatedFileSystem, ReadErrorsHaveTheirOwnNumbers) {
  SimulatedFileSystem files(1);
  CreateDurable(files, "a", "x");
  files.SetFaults({.read_errors = {.first = 2, .count = 1}});
  EXPECT_EQ(Content(files, "a"), "x");
  EXPECT_THAT(Content(files, "a"), HasSubstr("MR6001"));
  EXPECT_EQ(Content(files, "a"), "x");
  EXPECT_EQ(files.reads_count(), 3U);
}

TEST(SimulatedFileSystem, CorruptByteFlipsBitsInMemoryAndOnDisk) {
  SimulatedFileSystem files(1, kLoseAll);
  CreateDurable(files, "a", "aaa");
  ASSERT_TRUE(files.CorruptByte("a", 1, 0x03));
  EXPECT_EQ(Content(files, "a"), "aba");
  files.Crash();
  ASSERT_TRUE(files.CorruptByte("a", 2, 0x03));
  files.Restart();
  EXPECT_EQ(Content(files, "a"), "abb");
  EXPECT_EQ(files.CorruptByte("a", 3, 1).error().code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(files.CorruptByte("b", 0, 1).error().code(), ErrorCode::kFileNotFound);
}

TEST(SimulatedFileSystem, EqualSeedsGiveEqualResults) {
  std::set<std::string> results;
  std::string traces;
  for (int run = 0; run < 2; ++run) {
    SimulatedFileSystem files(77, kTearAll);
    auto file = CreateDurable(files, "a", std::string(4096, '.'));
    ASSERT_TRUE(file->WriteAt(0, AsBytes(std::string(4096, 'x'))));
    CrashAndRestart(files);
    results.insert(Content(files, "a"));
    traces = files.Trace();
  }
  EXPECT_EQ(results.size(), 1U);
  EXPECT_THAT(traces, HasSubstr("5 write a @0 +4096\ncrash\nrestart, life 2\n"));
}

TEST(SimulatedFileSystem, RemovedOpenFileStaysReadable) {
  SimulatedFileSystem files(1);
  auto file = CreateDurable(files, "a", "x");
  ASSERT_TRUE(files.RemoveFile("a"));
  ASSERT_TRUE(files.SyncDirectory("."));
  EXPECT_EQ(*file->Size(), 1U);
}

}  // namespace
}  // namespace millrace
